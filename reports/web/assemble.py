"""Joins a page's parts into one template, at build time: what is left to fill in is data.

    assemble.py OUT NAME FILE...        (NAME.html and NAME.order say what the page is made of)

The page's policy lets only this style and this script run, told by their hashes (CSP level 2), so that
nothing that comes out of a file's names ever could.
"""

import base64
import hashlib
import os
import sys


def digest(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def lean(text):
    """Without indentation, and without lines that are only a `//` comment: a tenth of a page."""
    lines = [line.strip() for line in text.split("\n")]
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def scripts(order):
    return [line for line in order.split("\n") if line and line[0] != "#"]


def main():
    out, name, *paths = sys.argv[1:]
    files = {os.path.basename(path): open(path, encoding="utf-8").read() for path in paths}
    orders = {path: scripts(files[path]) for path in files if path.endswith(".order")}
    missing = {path for path in files if path.endswith(".js")} ^ set(sum(orders.values(), []))
    if missing:
        sys.exit("the pages' orders and the scripts differ in: " + ", ".join(sorted(missing)))
    style = "\n" + lean(files["report.css"])
    script = "\n" + "\n".join(lean(files[path]) for path in orders[name + ".order"])
    page = files[name + ".html"]
    for mark, value in [("STYLE_HASH", digest(style)), ("SCRIPT_HASH", digest(script)),
                        ("STYLE", style), ("SCRIPT", script)]:
        if page.count("@@%s@@" % mark) != 1:
            sys.exit("%s.html: expected one @@%s@@" % (name, mark))
        page = page.replace("@@%s@@" % mark, value)
    with open(out, "w", encoding="utf-8") as file:
        file.write(page)


main()
