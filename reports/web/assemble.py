"""Joins the page's parts into one template, at build time: what is left to fill in is data.

    assemble.py OUT FILE...

The page's policy lets only this style and this script run, told by their hashes (CSP level 2), so that
nothing that comes out of a file's names ever could.
"""

import base64
import hashlib
import os
import sys


def digest(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def main():
    out, *paths = sys.argv[1:]
    files = {os.path.basename(path): open(path, encoding="utf-8").read() for path in paths}
    order = [line for line in files["report.order"].split("\n") if line and line[0] != "#"]
    missing = {name for name in files if name.endswith(".js")} ^ set(order)
    if missing:
        sys.exit("report.order and the scripts differ in: " + ", ".join(sorted(missing)))
    style = "\n" + files["report.css"]
    script = "\n" + "\n".join(files[name] for name in order)
    page = files["report.html"]
    for name, value in [("STYLE_HASH", digest(style)), ("SCRIPT_HASH", digest(script)),
                        ("STYLE", style), ("SCRIPT", script)]:
        if page.count("@@%s@@" % name) != 1:
            sys.exit("report.html: expected one @@%s@@" % name)
        page = page.replace("@@%s@@" % name, value)
    with open(out, "w", encoding="utf-8") as file:
        file.write(page)


main()
