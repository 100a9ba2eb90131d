"""sim/README.md lists every constant of V3's prediction with its source, as the binary tells them:
`python3 tests/readme/assumptions_test.py BINARY --update` writes them there."""

import json
import os
import subprocess
import sys
import unittest

PAGE = "sim/README.md"
BEGIN, END = "<!-- assumptions -->\n", "<!-- end of assumptions -->\n"
BINARY = "cli/pipescope"


def table(binary):
    command = [binary, "simulate", "experiments/deepseek_v3_h800.yaml", "--format", "json"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    lines = ["| what | value | source |", "|---|---|---|"]
    for a in result["assumptions"]:
        lines.append("| " + " | ".join(a[key].replace("|", "\\|") for key in ("name", "value", "source")) + " |")
    return "\n".join(lines) + "\n"


def page_with(text):
    with open(PAGE, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    return before + BEGIN + text + END + rest.split(END)[1]


class Assumptions(unittest.TestCase):
    def test_the_page_lists_what_the_binary_assumes(self):
        with open(PAGE, encoding="utf-8") as file:
            self.assertEqual(file.read(), page_with(table(BINARY)))


if __name__ == "__main__":
    if "--update" in sys.argv:
        text = page_with(table(sys.argv[1]))
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(text)
    elif "TEST_TARGET" in os.environ:
        unittest.main()
