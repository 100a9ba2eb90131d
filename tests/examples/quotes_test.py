"""The folders' pages show the worked examples as they are compiled: `python3 tests/examples/quotes_test.py --update`
puts them there."""

import os
import re
import sys
import unittest

PAGES = ["schedules/README.md", "topology/README.md", "kernels/README.md"]
QUOTE = re.compile(r"<!-- (tests/examples/\w+\.cc) -->\n(?:```cpp\n.*?```\n)?", re.S)


def quoted(page):
    def block(match):
        with open(match[1], encoding="utf-8") as file:
            return f"<!-- {match[1]} -->\n```cpp\n{file.read()}```\n"

    return QUOTE.sub(block, page)


class Quotes(unittest.TestCase):
    def test_pages_show_what_is_compiled(self):
        for path in PAGES:
            with open(path, encoding="utf-8") as file:
                page = file.read()
            self.assertRegex(page, QUOTE, path)
            self.assertEqual(page, quoted(page), path)


if __name__ == "__main__":
    if "--update" in sys.argv:
        for path in PAGES:
            with open(path, encoding="utf-8") as file:
                page = file.read()
            with open(path, "w", encoding="utf-8") as file:
                file.write(quoted(page))
    elif "TEST_TARGET" in os.environ:
        unittest.main()
