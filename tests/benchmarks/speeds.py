"""All speeds that pipescope claims, measured, and compared with those of its baseline.

    bazel run -c opt //tests/benchmarks:speeds                exit 1 where one got slower
    bazel run -c opt //tests/benchmarks:speeds -- --update    takes today's as the baseline, and into README.md
    bazel run -c opt //tests/benchmarks:speeds -- --only all-to-all --allow 0.5

speeds.csv names them: a benchmark, and another one of the same run that it is told against: SimGrid on the same flows,
or BM_Reference, a fixed piece of work. Compared are these ratios, which other machines have alike, not times. Each is the
least of the repetitions, the one that others disturbed least. Slower means by more than --allow (a share, 0.3); a
limit_ms that is exceeded fails whatever the baseline. A speed that has no baseline yet is new: it is measured and no
failure, and README.md shows it from the first --update on.
"""

import argparse
import csv
import io
import json
import os
import platform
import re
import subprocess
import sys
import unittest

FOLDER = "tests/benchmarks"
SPEEDS = FOLDER + "/speeds.csv"
README = "README.md"
BEGIN, END = "<!-- speeds -->\n", "\n<!-- end of speeds -->"
REPETITIONS = 3
NEW = "new"  # a verdict, not a failure
UNITS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


def load(path=SPEEDS):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def least_ms(report):
    """Benchmark to the least time of its repetitions, from Google Benchmark's JSON: of the processor where it works in
    one thread, which others on the machine disturb less, else of the clock."""
    times = {}
    for run in report["benchmarks"]:
        if run.get("run_type") == "aggregate":
            continue
        if run.get("error_occurred"):
            sys.exit(f"{run['run_name']}: {run['error_message']}")
        name = run["run_name"]
        clock = "real_time" if name.endswith(("/real_time", "/manual_time")) else "cpu_time"
        time = run[clock] * UNITS[run["time_unit"]]
        times[name] = min(time, times.get(name, time))
    return times


def measure(speeds):
    for binary in sorted({s["binary"] for s in speeds}):
        mine = [s for s in speeds if s["binary"] == binary]
        names = sorted({s[key] for s in mine for key in ("benchmark", "against")})
        pattern = "^(" + "|".join(re.escape(n) for n in names) + ")$"
        print(f"{binary}: {len(names)} benchmarks", file=sys.stderr)
        run = subprocess.run(
            [f"{FOLDER}/{binary}", f"--benchmark_filter={pattern}", "--benchmark_format=json",
             f"--benchmark_repetitions={REPETITIONS}", "--benchmark_min_time=0.2"],
            check=True, capture_output=True, text=True)
        times = least_ms(json.loads(run.stdout))
        for s in mine:
            s["now_ms"], s["now_against_ms"] = times[s["benchmark"]], times[s["against"]]
            s["now_ratio"] = s["now_ms"] / s["now_against_ms"]
    return speeds


def verdict(speed, allow):
    """"" where all is well, else what is not."""
    if speed["limit_ms"] and speed["now_ms"] > float(speed["limit_ms"]):
        return f"over {speed['limit_ms']} ms"
    if not speed["ratio"]:
        return NEW
    change = speed["now_ratio"] / float(speed["ratio"]) - 1
    return f"slower by {change:.0%}" if change > allow else ""


def told_ms(milliseconds):
    for unit, size in (("s", 1e3), ("ms", 1.0), ("us", 1e-3)):
        if milliseconds >= size or unit == "us":
            return f"{milliseconds / size:.3g} {unit}"
    return ""


def against(speed):
    if speed["against"].startswith("BM_SimGrid"):
        return f"SimGrid takes {1 / float(speed['ratio']):.3g} x as long"
    return f"{float(speed['ratio']):.3g} x the reference"


def table(speeds):
    lines = ["| what | time | against | required |", "|---|---:|---|---:|"]
    for s in speeds:
        if not s["ratio"]:
            continue
        limit = told_ms(float(s["limit_ms"])) if s["limit_ms"] else ""
        lines.append(f"| {s['what']} | {told_ms(float(s['seen_ms']))} | {against(s)} | {limit} |")
    return "\n".join(lines)


def parts_of_readme(path):
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    shown, after = rest.split(END)
    return before, shown, after


def update(speeds):
    root = os.environ["BUILD_WORKSPACE_DIRECTORY"]
    path = os.path.join(root, SPEEDS)
    everything = load(path)
    now = {s["what"]: s for s in speeds}
    for s in everything:
        if s["what"] in now:
            new = now[s["what"]]
            s["ratio"], s["seen_ms"], s["against_ms"] = (
                f"{new['now_ratio']:.4g}", f"{new['now_ms']:.4g}", f"{new['now_against_ms']:.4g}")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(everything[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(everything)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.getvalue())
    readme = os.path.join(root, README)
    before, _, after = parts_of_readme(readme)
    with open(readme, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + table(everything) + END + after)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="take today's speeds as the baseline")
    parser.add_argument("--allow", type=float, default=0.3, help="how much slower is no failure, a share")
    parser.add_argument("--only", default="", help="only speeds whose name has this text in it")
    options = parser.parse_args()
    speeds = measure([s for s in load() if options.only in s["what"]])
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    failed = False
    for s in speeds:
        wrong = verdict(s, options.allow)
        before = f"{float(s['ratio']):.4g}" if s["ratio"] else "-"
        print(f"{s['what']:<62} {told_ms(s['now_ms']):>8}  {s['now_ratio']:10.4g} (was {before:>8})  {wrong}")
        failed = failed or wrong not in ("", NEW)
    if options.update:
        update(speeds)
        return 0
    return 1 if failed else 0


class Speeds(unittest.TestCase):
    def test_every_speed_has_its_benchmarks(self):
        speeds = load()
        for binary in {s["binary"] for s in speeds}:
            run = subprocess.run([f"{FOLDER}/{binary}", "--benchmark_list_tests"], check=True, capture_output=True, text=True)
            there = set(run.stdout.split("\n"))
            named = {s[key] for s in speeds if s["binary"] == binary for key in ("benchmark", "against")}
            self.assertEqual(named - there, set())

    def test_the_readme_shows_this_table(self):
        self.assertEqual(parts_of_readme(README)[1], table(load()))

    def test_what_is_slower_or_over_its_limit_is_found(self):
        speed = {"limit_ms": "10", "ratio": "2.0", "now_ms": 5.0, "now_ratio": 2.5}
        self.assertEqual(verdict(speed, 0.3), "")
        self.assertEqual(verdict(speed, 0.2), "slower by 25%")
        self.assertEqual(verdict(dict(speed, now_ms=11.0), 0.3), "over 10 ms")
        self.assertEqual(verdict(dict(speed, ratio=""), 0.3), NEW)
        self.assertEqual(verdict(dict(speed, ratio="", now_ms=11.0), 0.3), "over 10 ms")

    def test_what_is_new_is_in_no_table(self):
        known = {"what": "a", "against": "BM_Reference", "limit_ms": "10", "ratio": "2.0", "seen_ms": "5.0"}
        new = dict(known, what="b", ratio="", seen_ms="")
        self.assertIn("| a | 5 ms | 2 x the reference | 10 ms |", table([known, new]))
        self.assertNotIn("| b |", table([known, new]))

    def test_the_least_of_repetitions_counts_in_its_unit(self):
        def runs(name, **more):
            return [{"run_name": name, "real_time": t, "cpu_time": t / 2, "time_unit": "us", **more} for t in (3000, 2000)]

        mean = runs("a", run_type="aggregate", cpu_time=1)
        self.assertEqual(least_ms({"benchmarks": runs("a") + mean}), {"a": 1.0})
        self.assertEqual(least_ms({"benchmarks": runs("a/real_time")}), {"a/real_time": 2.0})


if __name__ == "__main__":
    if "TEST_TARGET" in os.environ:
        unittest.main()
    sys.exit(main())
