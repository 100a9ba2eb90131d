"""Holds the output blocks of README.md to what the binary prints.

A block to be checked follows a comment that says how it was made:

    <!-- pipescope ARGS | until "TEXT" -->
    ```
    (the output up to the first line that starts with TEXT, trailing blank lines left out)
    ```

Usage: readme_output.py BINARY README [--update]
"""

import pathlib
import re
import shlex
import subprocess
import sys

BLOCK = re.compile(r'(<!-- pipescope (?P<args>.*?) \| until "(?P<until>.*?)" -->\n```\n)(?P<text>.*?)(```\n)', re.S)


def output(binary, readme, args, until):
    run = subprocess.run([binary] + shlex.split(args), cwd=readme.parent, capture_output=True, text=True, check=True)
    lines = []
    for line in run.stdout.splitlines():
        if line.startswith(until):
            break
        lines.append(line.rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return "\n".join(lines) + "\n"


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    readme = pathlib.Path(sys.argv[2]).resolve() if "--update" in sys.argv else pathlib.Path(sys.argv[2]).absolute()
    text = readme.read_text()
    blocks = list(BLOCK.finditer(text))
    if not blocks:
        sys.exit("README.md: no output block found; expected one with a <!-- pipescope ... --> comment")
    if "--update" in sys.argv:
        made = BLOCK.sub(lambda m: m[1] + output(binary, readme, m["args"], m["until"]) + m[5], text)
        readme.write_text(made)
        return
    for block in blocks:
        now = output(binary, readme, block["args"], block["until"])
        if now != block["text"]:
            sys.exit(f"README.md shows another output than `pipescope {block['args']}` prints.\n"
                     f"--- README\n{block['text']}--- now\n{now}"
                     "Mend it with: python3 tests/readme/readme_output.py bazel-bin/cli/pipescope README.md --update")


main()
