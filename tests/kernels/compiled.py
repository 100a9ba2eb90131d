"""What tests of compiled GPU code share: listings, and kernels by their names."""

import re


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def entries(ptx):
    """The body of each kernel by its name."""
    parts = re.split(r"^\.(?:visible |weak )?\.?entry ", ptx, flags=re.M)
    return {re.match(r"\w+", part).group(): part for part in parts[1:]}


def spills(said):
    """Bytes of stores and loads that ptxas spilled, by kernel."""
    pattern = (
        r"Compiling entry function '(\w+)'.*?\n.*?\n?"
        r"\s*\d+ bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
    )
    return {name: (int(s), int(l)) for name, s, l in re.findall(pattern, said)}
