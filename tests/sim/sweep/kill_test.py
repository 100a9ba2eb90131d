"""A sweep that is killed, interrupted or shared among workers gives the bytes of one that is not."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

PIPESCOPE = os.path.abspath("cli/pipescope")
V3 = os.path.abspath("experiments/deepseek_v3_h800.yaml")
SWEEP = [PIPESCOPE, "sweep", V3, "--grid", "communication.sms=8,12,16,20,24,200",
         "--list", "parallel.pipeline=16,8;parallel.data=128,256",
         "--schedules", "1f1b,dualpipe,nonsense"]
POINTS = 36


def lines_of(path):
    """Whole lines, none where there is no file."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [line for line in file if line.endswith("\n")]


class Kill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = os.path.join(self.folder, "points.jsonl")

    def run_sweep(self, *options, **kwargs):
        return subprocess.run(SWEEP + list(options), capture_output=True, check=False, **kwargs)

    def whole(self):
        path = os.path.join(self.folder, "whole.jsonl")
        done = self.run_sweep("-o", path, "--jobs", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            return file.read()

    def read(self):
        with open(self.file, "rb") as file:
            return file.read()

    def test_points_are_sorted_and_refusals_are_results(self):
        points = [json.loads(line) for line in self.whole().splitlines()]
        self.assertEqual([p["index"] for p in points], list(range(POINTS)))
        self.assertEqual({p["overrides"]["schedule"] for p in points if "error" in p and
                          p["overrides"]["communication.sms"] != "200"}, {"nonsense"})
        self.assertTrue(all("error" in p for p in points
                            if p["overrides"]["communication.sms"] == "200"))

    def test_kill_9_in_a_loop_loses_and_repeats_nothing(self):
        whole = self.whole()
        before = []
        kills = 0
        for attempt in range(3 * POINTS):
            process = subprocess.Popen(SWEEP + ["--resume", self.file, "--jobs", "2"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # However slow the machine, a run gets a line further; when it is killed after is chance.
            while process.poll() is None and len(lines_of(self.file)) == len(before):
                time.sleep(0.001)
            time.sleep(0.007 * (attempt % 4))
            process.kill()
            if process.wait() == 0:
                break
            kills += 1
            now = lines_of(self.file)
            self.assertLessEqual(set(before), set(now))  # what was done stays, untouched
            indices = [json.loads(line)["index"] for line in now]
            self.assertEqual(len(set(indices)), len(indices))
            before = now
        self.assertEqual(self.read(), whole)
        self.assertGreater(kills, 0)

    def test_an_interrupt_writes_what_is_done_and_exits_130(self):
        process = subprocess.Popen(SWEEP + ["-o", self.file, "--jobs", "1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not lines_of(self.file) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn(b"--resume", errors)
        done = len(lines_of(self.file))
        self.assertTrue(0 < done < POINTS, done)
        self.assertEqual(self.run_sweep("--resume", self.file).returncode, 0)
        self.assertEqual(self.read(), self.whole())

    def test_workers_started_together_leave_one_file(self):
        processes = []
        for rank in range(3):
            environment = dict(os.environ, OMPI_COMM_WORLD_RANK=str(rank),
                               OMPI_COMM_WORLD_SIZE="3")
            processes.append(subprocess.Popen(SWEEP + ["-o", self.file, "--jobs", "1"],
                                              env=environment, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL))
        self.assertEqual([p.wait() for p in processes], [0, 0, 0])
        self.assertEqual(self.read(), self.whole())
        self.assertEqual([n for n in os.listdir(self.folder) if ".part-" in n], [])

    def test_one_process_finishes_what_a_lost_worker_left(self):
        for rank in (0, 2):
            self.assertEqual(self.run_sweep("-o", self.file, "--worker", f"{rank}/3").returncode, 0)
        self.assertFalse(os.path.exists(self.file))
        self.assertEqual(self.run_sweep("--resume", self.file).returncode, 0)
        self.assertEqual(self.read(), self.whole())

    def test_another_sweep_is_refused_and_left_alone(self):
        self.run_sweep("-o", self.file)
        before = self.read()
        done = self.run_sweep("--resume", self.file, "--set", "training.global_batch=7680")
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"another sweep", done.stderr)
        self.assertEqual(self.read(), before)


if __name__ == "__main__":
    unittest.main()
