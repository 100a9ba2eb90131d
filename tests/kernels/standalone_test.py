"""The kernels' own binary: its verbs, its errors, its files."""

import json
import os
import subprocess
import tempfile
import unittest

BINARY = "kernels/standalone/kernels"


def run(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, check=False)


class Standalone(unittest.TestCase):
    def test_list_and_check(self):
        self.assertIn("fp8_gemm_grouped", run("list").stdout)
        ran = run("check", "--kernel", "rope", "--seed", "9")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("well", ran.stdout)

    def test_bench_and_calibrate_write_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "b.json")
            self.assertEqual(run("bench", "--kernel", "fp8_gemm", "--json", path).returncode, 0)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(json.load(file)["results"][0]["kernel"], "fp8_gemm")
            self.assertEqual(run("calibrate", "--kernel", "fp8_gemm", "-o", path).returncode, 0)
            with open(path, encoding="utf-8") as file:
                calibrated = json.load(file)
            self.assertEqual(calibrated["schema"], "pipescope-profile/1")
            self.assertEqual(run("held-out", "--kernel", "fp8_gemm", "-o", path).returncode, 0)
            with open(path, encoding="utf-8") as file:
                held_out = json.load(file)
        self.assertEqual(len(held_out["operations"]), 5)
        for operation in held_out["operations"]:
            self.assertNotIn(operation["shape"], [o["shape"] for o in calibrated["operations"]])

    def test_a_pipeline_trains_as_one_rank_does(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.json")
            ran = run("pipeline", "--schedules", "1f1b,dualpipe", "--json", path)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertIn("equal to one rank", ran.stdout)
            with open(path, encoding="utf-8") as file:
                cases = json.load(file)["cases"]
        self.assertEqual([case["schedule"] for case in cases], ["1f1b", "dualpipe"])
        for case in cases:
            self.assertTrue(case["equals_one_rank"])
            self.assertGreater(case["predicted_s"], 0)

    def test_what_cannot_be_is_one_line(self):
        for words in (
            [],
            ["chek"],
            ["check", "--device"],
            ["check", "--device", "tpu"],
            ["check", "--seed", "x"],
            ["bench", "--sms", "2000"],
            ["bench", "--kernel", "none_such"],
            ["bench", "--interference"],
            ["held-out", "--interference"],
            ["list", "--what", "1"],
            ["exchange"],
            ["exchange", "--way", "no"],
            ["exchange", "--tokens", "-1"],
            ["pipeline", "--model", "mikro"],
            ["pipeline", "--schedules", "1f1c"],
            ["pipeline", "--ranks", "x"],
        ):
            ran = run(*words)
            self.assertEqual(ran.returncode, 2, words)
            self.assertEqual(ran.stdout, "")
            if words:
                self.assertTrue(ran.stderr.startswith("kernels: error: "), ran.stderr)
                self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)


if __name__ == "__main__":
    unittest.main()
