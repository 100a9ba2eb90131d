"""fuzz_target: one reader under libFuzzer, or, in a plain build, under replay.cc."""

load("//sim/bazel:copts.bzl", "PIPESCOPE_COPTS")

def fuzz_target(name, deps, seeds = [], mutants = 100):
    """`bazel run --config=fuzz //tests/fuzz:NAME -- -max_total_time=600 FOLDER`, and NAME_test.

    Args:
      name: of the source file with LLVMFuzzerTestOneInput, and of the corpus' folder.
      deps: the reader's.
      seeds: files elsewhere in the repository that are inputs too.
      mutants: of every input, in the test.
    """
    native.cc_binary(
        name = name,
        testonly = True,
        srcs = [name + ".cc"],
        copts = PIPESCOPE_COPTS,
        linkopts = select({
            ":libfuzzer": ["-fsanitize=fuzzer"],
            "//conditions:default": [],
        }),
        deps = deps + [":input"] + select({
            ":libfuzzer": [],
            "//conditions:default": [":replay"],
        }),
    )
    native.cc_test(
        name = name + "_test",
        size = "small",
        srcs = [name + ".cc"],
        args = ["--mutants=%d" % mutants] +
               ["tests/fuzz/corpus/" + name] +
               ["$(locations %s)" % seed for seed in seeds],
        copts = PIPESCOPE_COPTS,
        data = native.glob(["corpus/%s/**" % name]) + seeds,
        deps = deps + [
            ":input",
            ":replay",
        ],
    )
