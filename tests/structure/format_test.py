"""Every C++ source is as clang-format 14 with our .clang-format leaves it."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, "tests/structure")
import source_tree


def clang_format():
    """Debian 12's own; another version formats some lines otherwise."""
    for name in ("clang-format-14", "clang-format"):
        program = shutil.which(name)
        if program is None:
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if "version 14." in said:
            return program
    return None


PROGRAM = clang_format()


def complaints(paths, root):
    """What clang-format says, a line an offence, with file and line."""
    ran = subprocess.run(
        [PROGRAM, "--dry-run", "--Werror", "--style=file", *paths],
        cwd=root,
        capture_output=True,
        text=True,
    )
    said = [line for line in ran.stderr.splitlines() if "error:" in line]
    return said or ([f"clang-format exited with {ran.returncode}"] if ran.returncode else [])


@unittest.skipIf(PROGRAM is None, "clang-format 14 is not installed")
class Format(unittest.TestCase):
    def test_every_source_is_formatted(self):
        paths = [path for path in source_tree.files() if path.endswith(source_tree.CPP)]
        self.assertGreater(len(paths), 100)
        source_tree.fail_if_any(self, complaints(paths, source_tree.ROOT))

    def test_a_badly_formatted_file_is_named_with_its_line(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copy(os.path.join(source_tree.ROOT, ".clang-format"), root)
            sources = {"good.cc": "int f() { return 1; }\n", "bad.cc": "int x;\nint  y;\n"}
            for name, text in sources.items():
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(text)
            self.assertEqual([], complaints(["good.cc"], root))
            found = complaints(["good.cc", "bad.cc"], root)
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("bad.cc:2:"), found)


if __name__ == "__main__":
    unittest.main()
