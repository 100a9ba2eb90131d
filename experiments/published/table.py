"""Predicts every published run and sets the prediction beside what was measured.

    bazel run //experiments/published:table             prints the table
    bazel run //experiments/published:table -- --update  stores today's errors as the accepted ones,
                                                        and the table in README.md
    bazel test //experiments/published:errors_test       fails where an error grew, or README.md
                                                        shows another table

runs.csv names the runs: a file of this folder, what is set otherwise (fields apart by blanks), what was measured with its
source, what another model predicted, and the accepted errors. `clock` is `step`, or `span` where ranks go on to the next
step without waiting for each other. A run without a measured peak leaves it empty.
"""

import csv
import json
import os
import subprocess
import sys
import unittest

FOLDER = "experiments/published"
RUNS = FOLDER + "/runs.csv"
README = "README.md"
BEGIN, END = "<!-- published runs -->\n", "\n<!-- end of published runs -->"
# How much an error may grow unnoticed: the last digit that the file stores.
SLACK = 0.0006
BINARY = "cli/pipescope"
MEANS = [("time", "time"), ("memory", "memory"), ("SimuMax's time", "other")]


def load(path=RUNS):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def predict(run):
    """(step in ms, peak of the fullest rank in GiB)"""
    path = os.path.join(FOLDER, run["run"])
    command = [BINARY, "simulate", path, "--format", "json"]
    for override in run["overrides"].split():
        command += ["--set", override]
    out = subprocess.run(command, check=True, capture_output=True)
    result = json.loads(out.stdout)
    peak = max(rank["total_peak"] for rank in result["memory_bytes"])
    time = result["span_s" if run["clock"] == "span" else "step_time_s"]
    return time * 1e3, peak / 2**30


def error(predicted, measured):
    return predicted / float(measured) - 1 if measured else None


def percent(value, digits=1):
    return "" if value is None else f"{value:+.{digits}%}".replace("%", " %")


def mean(errors):
    errors = [abs(e) for e in errors if e is not None]
    return sum(errors) / len(errors) if errors else 0.0


def measure(runs):
    for run in runs:
        step, peak = predict(run)
        other = run["other_step_ms"]
        run["rows"] = (step, peak)
        run["time"] = error(step, run["measured_step_ms"])
        run["memory"] = error(peak, run["measured_peak_GiB"])
        run["other"] = error(float(other), run["measured_step_ms"]) if other else None
    return runs


def table(runs):
    lines = ["| run | step, ms | measured | error | SimuMax | peak, GiB | measured | error |", "|---|" + "---:|" * 7]
    for run in runs:
        step, peak = run["rows"]
        name = os.path.basename(run["run"]).removesuffix(".yaml")
        if run["overrides"]:
            name += f" (`{run['overrides']}`)"
        lines.append(
            f"| {name} | {step:.1f} | {run['measured_step_ms']} | {percent(run['time'])} | "
            f"{percent(run['other'])} | {peak:.2f} | {run['measured_peak_GiB']} | {percent(run['memory'], 2)} |"
        )
    for group in sorted({run["group"] for run in runs}):
        part = [run for run in runs if run["group"] == group]
        means = [(what, [r[key] for r in part]) for what, key in MEANS]
        told = [f"{what} {mean(e):.2%}" for what, e in means if any(x is not None for x in e)]
        lines.append(f"\nMean |error| of {group} ({len(part)}): " + ", ".join(told))
    return "\n".join(lines)


def grown(run):
    """What of a run is worse than accepted."""
    found = []
    for what in ("time", "memory"):
        accepted = run[f"accepted_{what}_error"]
        if run[what] is None:
            continue
        if not accepted or abs(run[what]) > abs(float(accepted)) + SLACK:
            found.append(f"{run['run']}: error in {what} {run[what]:+.4f}, accepted {accepted}")
    return found


def parts_of_readme(path):
    """What stands before, between and after the marks."""
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    shown, after = rest.split(END)
    return before, shown, after


def update_readme(text):
    path = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], README)
    before, _, after = parts_of_readme(path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + text + END + after)


def update(runs):
    path = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], RUNS)
    fields = list(load(path)[0])
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for run in runs:
            for what in ("time", "memory"):
                run[f"accepted_{what}_error"] = "" if run[what] is None else f"{run[what]:.4f}"
            writer.writerow(run)


class Errors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.runs = measure(load())

    def test_no_error_grew(self):
        worse = [line for run in self.runs for line in grown(run)]
        self.assertEqual(worse, [])

    def test_the_readme_shows_this_table(self):
        self.assertEqual(parts_of_readme(README)[1], table(self.runs))

    def test_a_grown_error_is_found(self):
        run = dict(self.runs[0], accepted_time_error="0.0000")
        run["time"] = 0.01
        self.assertEqual(len(grown(run)), 1)

    def test_every_file_is_a_run(self):
        files = {name for name in os.listdir(FOLDER) if name.endswith(".yaml")}
        named = {run["run"] for run in self.runs}
        self.assertEqual(files - named, set())


if __name__ == "__main__":
    if "TEST_TARGET" in os.environ:
        unittest.main()
    measured = measure(load())
    print(table(measured))
    if "--update" in sys.argv[1:]:
        update(measured)
        update_readme(table(measured))
