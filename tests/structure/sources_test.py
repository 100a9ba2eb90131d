"""Sizes, places and words: short files, known top-level entries, nobody's own machine."""

import os
import re
import sys
import unittest

sys.path.insert(0, "tests/structure")
import source_tree

MOST_LINES = 300
LONGER = {}  # path: lines; each with a comment that says why it cannot be split
TOP_LEVEL = {
    "BUILD",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "WORKSPACE",
    "cli",
    "experiments",
    "kernels",
    "reports",
    "schedules",
    "sim",
    "tests",
    "topology",
}
# A person's folder, written in pieces so that this file does not find itself.
PERSONAL = ("ho" + "me", "ro" + "ot", "Us" + "ers", "wo" + "rk")
HOME = re.compile(r"(?<![\w.$}])/(?:" + "|".join(PERSONAL) + ")/")


def too_long(path, count):
    return count > LONGER.get(path, MOST_LINES)


class Sources(unittest.TestCase):
    def test_files_are_short(self):
        found = []
        for path in source_tree.files():
            if path.endswith(source_tree.CPP + (".js", ".mjs")):
                count = len(source_tree.lines(path))
                if too_long(path, count):
                    found.append(f"{path}:{count}: longer than {MOST_LINES} lines")
        source_tree.fail_if_any(self, found)
        self.assertTrue(too_long("a.cc", MOST_LINES + 1))
        self.assertFalse(too_long("a.cc", MOST_LINES))

    def test_no_path_of_a_machine(self):
        found = []
        for path in source_tree.files():
            for number, line in enumerate(source_tree.lines(path), 1):
                if HOME.search(line):
                    found.append(f"{path}:{number}: {line.strip()[:100]}")
        source_tree.fail_if_any(self, found)

    def test_a_path_of_a_machine_is_recognized(self):
        for name in ("ho" + "me", "ro" + "ot"):
            self.assertTrue(HOME.search(f'open("/{name}/someone/x")'))
        for text in ("a/" + "home/x", "https://x.org/" + "work", "$HO" + "ME/x", "/usr/bin"):
            self.assertFalse(HOME.search(text), text)

    def test_top_level_entries_are_known(self):
        entries = {name for name in os.listdir(source_tree.ROOT) if not name.startswith(".")}
        unknown = {name for name in entries if not source_tree.is_output(name)} - TOP_LEVEL
        source_tree.fail_if_any(self, [f"{name}:1: unknown entry" for name in sorted(unknown)])


if __name__ == "__main__":
    unittest.main()
