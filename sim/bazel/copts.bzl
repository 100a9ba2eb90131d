"""Compiler flags of every target of ours: warnings are errors.

The language is here, not in .bazelrc, so that other people's workspaces build us too.
"""

PIPESCOPE_COPTS = [
    "-std=c++20",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
]
