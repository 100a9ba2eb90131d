"""kernels/standalone/build.sh compiles what Bazel does: a machine with a GPU is no place to learn it."""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/structure")
import source_tree

# Need libraries that such a machine has not, and nothing of the binary calls them.
LEFT_OUT = {
    "kernels/bench/cpu_blas_ops.cc",
    "kernels/fast/multiply.cc",
    "schedules/costs_file.cc",
    "schedules/schedule_file.cc",
    "sim/base/document.cc",
    "sim/base/fields.cc",
    "sim/base/parallel.cc",
    "sim/measured/profile_file.cc",
    "sim/timeline/breakdown.cc",
    "sim/timeline/critical_path.cc",
    "sim/timeline/memory.cc",
    "sim/timeline/slack.cc",
}


def known_to_bazel():
    with open("tests/structure/standalone_sources", encoding="utf-8") as labels:
        return {
            label.strip().removeprefix("//").replace(":", "/")
            for label in labels
            if label.startswith("//") and label.strip().endswith(".cc")
        }


def compiled_by_script():
    script = os.path.join(source_tree.ROOT, "kernels/standalone/build.sh")
    with tempfile.TemporaryDirectory() as folder:
        listed = subprocess.run(
            ["bash", script, folder, "--list"],
            env={**os.environ, "PIPESCOPE_CUDA": "0"},
            capture_output=True,
            text=True,
            check=True,
        )
        return set(listed.stdout.split())


def stands_in(path):
    return path.endswith(("_stub.cc", "/stub.cc", "_plain.cc"))


class StandaloneSources(unittest.TestCase):
    def test_the_script_compiles_what_bazel_does(self):
        bazel, script = known_to_bazel(), compiled_by_script()
        self.assertGreater(len(script), 150)
        self.assertEqual({p for p in bazel - script if not stands_in(p)}, LEFT_OUT)
        self.assertEqual({p for p in script - bazel if not stands_in(p)}, set())


if __name__ == "__main__":
    unittest.main()
