"""The repository's own files, found through the WORKSPACE file among a test's data."""

import os

ROOT = os.path.dirname(os.path.realpath("WORKSPACE"))
CPP = (".h", ".cc", ".cu", ".cuh")
# What a build or the README's commands leave behind.
OUTPUTS = {"report.html", "trace.json", "out"}


def is_output(name):
    return name.startswith("bazel-") or name in OUTPUTS


def files(root=ROOT):
    """Paths from the root, sorted, without outputs and git's own."""
    found = []
    for folder, folders, names in os.walk(root):
        at_root = folder == root
        folders[:] = [
            name
            for name in folders
            if name not in (".git", "__pycache__") and not (at_root and is_output(name))
        ]
        for name in names:
            if name == ".git" or (at_root and is_output(name)):
                continue
            found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def lines(path, root=ROOT):
    """The file's lines; none where it is no text."""
    with open(os.path.join(root, path), "rb") as file:
        bytes_ = file.read()
    return [] if b"\0" in bytes_ else bytes_.decode("utf-8", "replace").splitlines()


def fail_if_any(test, offences):
    """Fails `test` with each offence on a line of its own: file, line, what is wrong."""
    if offences:
        test.fail(f"{len(offences)} offences\n" + "\n".join(offences[:200]))
