#!/usr/bin/python3
"""Counts the tests of Bazel runs, case by case, skipped ones included.

Bazel says of a target only that it passed: skipped cases inside are hidden, and bazel-testlogs
keeps results of targets that are long gone. So the targets come from a run's build event file,
and the cases from the test.xml of each.

  bazel test //... --keep_going --build_event_json_file=events.json
  count_results.py --run plain events.json $?

Counts one failure more for a target that could not be built, for a target that failed although
its cases passed (a crash at exit, a timeout), and for a run that failed in no target. Where the
run was ended because its time was over (status 124, as `timeout` has it), what it did not come to
is skipped, and is named. Prints
failed and skipped cases, of several runs the count of each, then "N passed, N failed, N skipped"
of all: a case counts in every run it was in. Exits 1 if anything failed.
"""

import argparse
import collections
import json
import sys
import urllib.parse
import xml.etree.ElementTree

Counts = collections.namedtuple("Counts", "passed failed skipped")
OUT_OF_TIME = 124


def read_events(path):
    """The events of a run; a last line that was cut off by a crash is left out."""
    events = []
    try:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                try:
                    events.append(json.loads(line))
                except json.JSONDecodeError:
                    break
    except OSError:
        pass
    return events


def state_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    # A disabled gtest case is "notrun": it is skipped for everyone who counts.
    if case.find("skipped") is not None or case.get("status") == "notrun":
        return "skipped"
    return "passed"


def cases_of(xml_path):
    """(name, state) of each case, or None where the file cannot be read."""
    try:
        root = xml.etree.ElementTree.parse(xml_path).getroot()
    except (OSError, xml.etree.ElementTree.ParseError):
        return None
    cases = []
    for case in root.iter("testcase"):
        group, name = case.get("classname", ""), case.get("name", "")
        cases.append((f"{group}.{name}" if group else name, state_of(case)))
    return cases


def xml_of(result):
    for output in result.get("testActionOutput", []):
        if output.get("name") == "test.xml":
            return urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
    return ""


def cases_of_run(result):
    """The cases of one run of a target; the target itself stands in where it has none."""
    passed = result.get("status") in ("PASSED", "FLAKY")
    cases = cases_of(xml_of(result))
    if not cases:
        return [("", "passed" if passed else "failed")]
    if not passed and all(state != "failed" for _, state in cases):
        cases.append((result.get("status", "no status"), "failed"))
    return cases


def gather(events, bazel_status):
    """(label, case, state) of everything that the run was to test or to build."""
    runs, targets, broken = {}, set(), set()
    out_of_time = bazel_status == OUT_OF_TIME
    for event in events:
        event_id = event.get("id", {})
        if "testResult" in event_id and "testResult" in event:
            if out_of_time and event["testResult"].get("status") in ("NO_STATUS", "INCOMPLETE"):
                continue
            key = event_id["testResult"]
            # A later attempt stands for the earlier ones.
            runs[key["label"], key.get("run", 0), key.get("shard", 0)] = event["testResult"]
        elif "targetConfigured" in event_id and event.get("configured", {}).get("testSize"):
            targets.add(event_id["targetConfigured"]["label"])
        elif "targetCompleted" in event_id:
            # Without success, or aborted in place of completed.
            interrupted = event.get("aborted", {}).get("reason") == "USER_INTERRUPTED"
            if not event.get("completed", {}).get("success") and not (out_of_time and interrupted):
                broken.add(event_id["targetCompleted"]["label"])
    tested = {label for label, _, _ in runs}
    found = [
        (label, name, state)
        for (label, _, _), result in sorted(runs.items())
        for name, state in cases_of_run(result)
    ]
    for label in sorted((targets | broken) - tested):
        if label in broken or not out_of_time:
            found.append((label, "not built" if label in broken else "not run", "failed"))
        else:
            found.append((label, "out of time", "skipped"))
    if out_of_time and not found:
        found.append(("//...", "out of time", "skipped"))
    return found


def count(found, bazel_status):
    states = collections.Counter(state for _, _, state in found)
    failed = states["failed"]
    if failed == 0 and (bazel_status not in (0, OUT_OF_TIME) or not found):
        failed = 1
    return Counts(states["passed"], failed, states["skipped"])


def show(name, found, bazel_status):
    """Prints what did not pass in a run; its counts."""
    for wanted in ("skipped", "failed"):
        for label, case, state in found:
            if state == wanted:
                print(f"{name}: {state}: {label} {case}".rstrip())
    counts = count(found, bazel_status)
    if not any(state == "failed" for _, _, state in found) and counts.failed:
        print(f"{name}: failed: Bazel exited with {bazel_status}, {len(found)} results")
    return counts


def in_words(counts):
    return f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"


def main(arguments):
    parser = argparse.ArgumentParser(description="Counts the tests of Bazel runs.")
    parser.add_argument(
        "--run",
        required=True,
        action="append",
        nargs=3,
        metavar=("NAME", "EVENTS", "STATUS"),
        help="a run, its --build_event_json_file and Bazel's exit status; once for each",
    )
    options = parser.parse_args(arguments)
    runs = [
        (name, show(name, gather(read_events(events), int(status)), int(status)))
        for name, events, status in options.run
    ]
    if len(runs) > 1:
        for name, counts in runs:
            print(f"{name}: {in_words(counts)}")
    total = Counts(*map(sum, zip(*(counts for _, counts in runs))))
    print(in_words(total))
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
