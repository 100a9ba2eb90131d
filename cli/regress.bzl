"""pipescope_regress_test: a Bazel test that fails when a step time, a bubble or a peak grows.

In a repository of your own, WORKSPACE:

    local_repository(name = "pipescope", path = "/path/to/pipescope")
    load("@pipescope//sim/bazel:workspace.bzl", "pipescope_repositories")
    pipescope_repositories()

BUILD:

    load("@pipescope//cli:regress.bzl", "pipescope_regress_test")
    pipescope_regress_test(name = "step", baseline = "baseline.json", data = ["my_run.yaml"])

`bazel test //:step` runs `pipescope regress` on the baseline and reports each figure as a test
case; `bazel run //:step.update` writes today's figures into baseline.json. A first baseline needs
no figures: {"cases": [{"experiment": "my_run.yaml", "schedule": "dualpipe"}]}. Its experiments
count from its own folder; `data` names them and every file that they name.
A worked example: tests/regress/example_workspace.
"""

# Label() counts from this file's repository, whatever a user calls it.
_BINARY = str(Label("//cli:pipescope"))
_TEST = str(Label("//cli:regress_test.sh"))
_UPDATE = str(Label("//cli:regress_update.sh"))

def pipescope_regress_test(name, baseline, data = [], **kwargs):
    """Fails when a figure of `baseline` got worse by more than the case's tolerance.

    Args:
      name: of the test; `<name>.update` is the target that renews the baseline.
      baseline: a file as sim/result/baseline.h describes it.
      data: the experiments that it names, and the topologies, models and orders that those name.
      **kwargs: size, tags, visibility and so on, for the test.
    """
    files = {
        "args": ["$(rootpath %s)" % _BINARY, "$(rootpath %s)" % baseline],
        "data": [_BINARY, baseline] + [d for d in data if d != baseline],
    }
    native.sh_test(
        name = name,
        srcs = [_TEST],
        size = kwargs.pop("size", "small"),
        args = files["args"],
        data = files["data"],
        **kwargs
    )
    native.sh_binary(
        name = name + ".update",
        srcs = [_UPDATE],
        args = files["args"],
        data = files["data"],
        testonly = True,
    )
