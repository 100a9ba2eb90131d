"""Compiler flags of every target of ours: warnings are errors."""

PIPESCOPE_COPTS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Werror",
]
