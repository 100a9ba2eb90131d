"""Sets every published bandwidth of DeepEP beside what `comm` predicts for it.

    bazel run //experiments/published:deepep        prints the table
    bazel test //experiments/published:deepep_test  fails where an error is larger than accepted

deepep.csv names the rows. Nothing that the table shows was taken from the row it is compared with, but for the
constants that sim/exchange/machine.cc says were.
"""

import csv
import json
import os
import subprocess
import unittest

ROWS = "experiments/published/deepep.csv"
BINARY = "cli/pipescope"
PATTERNS = ("dispatch", "combine")
# The largest error of V1's rows; of V2's on Hopper, and on B200, whose warps are taken to be as fast
# as Hopper's, from which they were measured; of the low-latency kernels, by NIC and over NVLink
# within one node, where what a dispatch does besides sending is not all known.
ACCEPTED = {"H800": 0.07, "V2 SM90": 0.08, "V2 SM100": 0.10, "LL EP8 by NIC": 0.05, "LL EP8": 0.22, "LL": 0.05}


def load(path=ROWS):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def predict(row, pattern):
    """GB/s as DeepEP's tests count them: RDMA between nodes, else NVLink."""
    command = [BINARY, "comm", row["topology"], "--pattern", pattern, "--format", "json"]
    out = subprocess.run(command + row["options"].split(), check=True, capture_output=True)
    result = json.loads(out.stdout)["results"][0]
    rdma = result["algorithm_rdma_bytes_per_second"]
    return (rdma or result["algorithm_nvl_bytes_per_second"]) / 1e9, result["bound_by"]


def measure(rows):
    """(row, pattern, published, predicted, what bounds it)"""
    cells = []
    for row in rows:
        for pattern in PATTERNS:
            predicted, bound = predict(row, pattern)
            cells.append((row, pattern, float(row[pattern + "_GBs"]), predicted, bound))
    return cells


def table(cells):
    lines = ["| row | pattern | published, GB/s | predicted | error | bound by | source |"]
    lines.append("|---|---|" + "---:|" * 3 + "---|---|")
    for row, pattern, published, predicted, bound in cells:
        told = f"{predicted:.1f} | {predicted / published - 1:+.1%}"
        lines.append(f"| {row['row']} | {pattern} | {published:g} | {told} | {bound} | {row['source']} |")
    errors = [abs(predicted / published - 1) for _, _, published, predicted, _ in cells]
    lines.append(f"mean |error| of {len(errors)}: {sum(errors) / len(errors):.1%}, worst {max(errors):.1%}")
    return "\n".join(lines)


class Errors(unittest.TestCase):
    def test_each_is_within_what_is_accepted(self):
        for row, pattern, published, predicted, _ in measure(load()):
            accepted = next(share for name, share in ACCEPTED.items() if row["row"].startswith(name))
            with self.subTest(row=row["row"], pattern=pattern):
                self.assertLess(abs(predicted / published - 1), accepted)


if __name__ == "__main__":
    if "TEST_TARGET" in os.environ:
        unittest.main()
    print(table(measure(load())))
