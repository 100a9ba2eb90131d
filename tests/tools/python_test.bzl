"""python_test: a file of unittest cases, run by Debian's Python, each case counted by itself."""

def python_test(name, srcs, data = [], **kwargs):
    """Runs the first of `srcs`; it finds `data` by paths from the repository's root."""
    native.sh_test(
        name = name,
        size = kwargs.pop("size", "small"),
        srcs = ["//tests/tools:python_test.sh"],
        args = ["$(location //tests/tools:junit.py)", "$(location %s)" % srcs[0]],
        data = ["//tests/tools:junit.py"] + srcs + data,
        **kwargs
    )
