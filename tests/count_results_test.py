"""The counter's arithmetic: what is hidden, stale, broken or missing."""

import contextlib
import io
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, "tests")
import count_results

GTEST = """<?xml version="1.0"?><testsuites><testsuite name="Units">
<testcase name="Adds" status="run" result="completed" classname="Units"/>
<testcase name="Gpu" status="run" result="skipped" classname="Units"><skipped message="no GPU"/></testcase>
<testcase name="DISABLED_Slow" status="notrun" result="suppressed" classname="Units"/>
{more}</testsuite></testsuites>"""
FAILING = '<testcase name="Off" classname="Units"><failure message="1 is not 2"/></testcase>'


class CountResults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.events = []

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def target(self, label, built=True):
        self.events.append(
            {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}}
        )
        completed = {"completed": {"success": True}} if built else {"completed": {}}
        self.events.append({"id": {"targetCompleted": {"label": label}}, **completed})

    def result(self, label, status, xml=None, attempt=1):
        output = []
        if xml is not None:
            path = self.write(f"test {len(os.listdir(self.folder))}.xml", xml)
            output = [{"name": "test.xml", "uri": "file://" + path.replace(" ", "%20")}]
        key = {"label": label, "run": 1, "shard": 1, "attempt": attempt}
        self.events.append(
            {
                "id": {"testResult": key},
                "testResult": {"status": status, "testActionOutput": output},
            }
        )

    def run_counter(self, bazel_status=0, cut=""):
        text = "\n".join(json.dumps(event) for event in self.events) + "\n" + cut
        path = self.write("events.json", text)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = count_results.main(
                ["--run", "plain", path, str(bazel_status)]
            )
        return status, out.getvalue().splitlines()

    def test_counts_each_case_and_sees_what_is_skipped_or_disabled(self):
        self.target("//a:test")
        self.result("//a:test", "PASSED", GTEST.format(more=""))
        status, lines = self.run_counter()
        self.assertEqual(status, 0)
        self.assertEqual(lines[-1], "1 passed, 0 failed, 2 skipped")
        self.assertIn("plain: skipped: //a:test Units.Gpu", lines)

    def test_a_failing_case_fails(self):
        self.target("//a:test")
        self.result("//a:test", "FAILED", GTEST.format(more=FAILING))
        status, lines = self.run_counter(3)
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 2 skipped")
        self.assertIn("plain: failed: //a:test Units.Off", lines)

    def test_a_target_that_died_after_its_cases_passed_is_one_failure_more(self):
        self.target("//a:test")
        self.result("//a:test", "TIMEOUT", GTEST.format(more=""))
        _, lines = self.run_counter(3)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 2 skipped")

    def test_without_a_readable_file_the_target_counts_as_one(self):
        for number, xml in enumerate((None, "", "<cut", "<testsuites/>")):
            self.target(f"//a:{number}")
            self.result(f"//a:{number}", "PASSED", xml)
        self.target("//a:bad")
        self.result("//a:bad", "FAILED", "<cut")
        _, lines = self.run_counter(3)
        self.assertEqual(lines[-1], "4 passed, 1 failed, 0 skipped")

    def test_only_the_last_attempt_counts(self):
        self.target("//a:test")
        self.result("//a:test", "FAILED", GTEST.format(more=FAILING), attempt=1)
        self.result("//a:test", "PASSED", GTEST.format(more=""), attempt=2)
        _, lines = self.run_counter()
        self.assertEqual(lines[-1], "1 passed, 0 failed, 2 skipped")

    def test_a_test_and_a_library_that_do_not_build_are_failures(self):
        self.target("//a:test", built=False)
        self.events.append({"id": {"targetCompleted": {"label": "//a:lib"}}, "completed": {}})
        aborted = {"id": {"targetCompleted": {"label": "//b:lib"}}, "aborted": {"reason": "x"}}
        self.events.append(aborted)
        status, lines = self.run_counter(1)
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "0 passed, 3 failed, 0 skipped")
        self.assertIn("plain: failed: //a:test not built", lines)

    def test_a_test_that_never_ran_is_a_failure(self):
        self.target("//a:test")
        _, lines = self.run_counter(8)
        self.assertEqual(lines[-1], "0 passed, 1 failed, 0 skipped")

    def test_what_time_did_not_suffice_for_is_skipped_and_named(self):
        self.target("//a:ran")
        self.result("//a:ran", "PASSED", GTEST.format(more=""))
        for label in ("//a:never", "//a:cut"):
            self.events.append(
                {"id": {"targetConfigured": {"label": label}}, "configured": {"testSize": "SMALL"}}
            )
            self.events.append(
                {
                    "id": {"targetCompleted": {"label": label}},
                    "aborted": {"reason": "USER_INTERRUPTED"},
                }
            )
        self.result("//a:cut", "INCOMPLETE")
        status, lines = self.run_counter(124)
        self.assertEqual(status, 0)
        self.assertEqual(lines[-1], "1 passed, 0 failed, 4 skipped")
        self.assertIn("plain: skipped: //a:never out of time", lines)
        self.assertIn("plain: skipped: //a:cut out of time", lines)
        status, lines = self.run_counter(8)  # a person's Ctrl-C
        self.assertEqual(status, 1)

    def test_what_failed_before_the_time_was_over_failed(self):
        self.target("//a:test")
        self.result("//a:test", "FAILED", GTEST.format(more=FAILING))
        self.target("//b:test", built=False)
        status, lines = self.run_counter(124)
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "1 passed, 2 failed, 2 skipped")

    def test_a_run_that_had_no_time_at_all_is_one_skip(self):
        status, lines = self.run_counter(124)
        self.assertEqual((status, lines[-1]), (0, "0 passed, 0 failed, 1 skipped"))

    def test_bazel_failed_in_no_target(self):
        self.target("//a:test")
        self.result("//a:test", "PASSED", GTEST.format(more=""))
        status, lines = self.run_counter(1, cut='{"id": {"testRes')
        self.assertEqual(status, 1)
        self.assertEqual(lines[-1], "1 passed, 1 failed, 2 skipped")

    def test_nothing_at_all_is_a_failure(self):
        for status in (0, 2):
            self.assertEqual(self.run_counter(status)[1][-1], "0 passed, 1 failed, 0 skipped")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(count_results.main(["--run", "plain", "/nonexistent", "0"]), 1)

    def test_several_runs_are_counted_apart_and_together(self):
        self.target("//a:test")
        self.result("//a:test", "PASSED", GTEST.format(more=""))
        good = self.write("good.json", "\n".join(map(json.dumps, self.events)))
        self.events = self.events[:2]
        self.result("//a:test", "FAILED", GTEST.format(more=FAILING))
        bad = self.write("bad.json", "\n".join(map(json.dumps, self.events)))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = count_results.main(["--run", "plain", good, "0", "--run", "asan", bad, "3"])
        self.assertEqual(status, 1)
        lines = out.getvalue().splitlines()
        self.assertIn("asan: failed: //a:test Units.Off", lines)
        self.assertEqual(
            lines[-3:],
            [
                "plain: 1 passed, 0 failed, 2 skipped",
                "asan: 1 passed, 1 failed, 2 skipped",
                "2 passed, 1 failed, 4 skipped",
            ],
        )


if __name__ == "__main__":
    unittest.main()
