"""Repositories that Bazel 4.2.3 asks for, served from Debian packages, offline."""

def _stub_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    for path, text in ctx.attr.files.items():
        ctx.file(path, text, executable = path.endswith(".sh"))

_stub = repository_rule(
    implementation = _stub_impl,
    local = True,
    attrs = {"files": attr.string_dict()},
    doc = "A repository whose whole content is given inline.",
)

_RULES_CC_DEFS = """
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_proto_library = native.cc_proto_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
fdo_prefetch_hints = native.fdo_prefetch_hints
fdo_profile = native.fdo_profile
objc_import = native.objc_import
objc_library = native.objc_library

def cc_flags_supplier(**kwargs):
    pass

def compiler_flag(**kwargs):
    pass
"""

_COVERAGE_BUILD = """
package(default_visibility = ["//visibility:public"])
sh_binary(name = "coverage_report_generator", srcs = ["noop.sh"])
sh_binary(name = "lcov_merger", srcs = ["noop.sh"])
"""

# Debian -dev packages: headers are on the compiler's default path, so a target is only its -l flags.
_SYSTEM_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(name = "cbc", linkopts = ["-lCbcSolver", "-lCbc", "-lpthread"])

cc_library(name = "expat", linkopts = ["-lexpat"])

cc_library(name = "mpi", linkopts = ["-lmpi"])

cc_library(name = "openblas", linkopts = ["-lopenblas"])

cc_library(name = "simgrid", linkopts = ["-lsimgrid"])

cc_library(name = "fmt", linkopts = ["-lfmt"])

cc_library(name = "yaml_cpp", linkopts = ["-lyaml-cpp"])

# Header-only packages: named so that a BUILD file says what it uses.
cc_library(name = "expected")

cc_library(name = "json")

cc_library(name = "zlib", linkopts = ["-lz"])

cc_library(name = "cli11")

cc_library(name = "boost_graph")

cc_library(name = "gtest", linkopts = ["-lgmock", "-lgtest", "-lpthread"])

cc_library(name = "gtest_main", linkopts = ["-lgmock_main", "-lgmock", "-lgtest", "-lpthread"])

cc_library(name = "benchmark_main", linkopts = ["-lbenchmark_main", "-lbenchmark", "-lpthread"])
"""

def debian_repositories():
    _stub(name = "rules_cc", files = {"BUILD": "", "cc/BUILD": "", "cc/defs.bzl": _RULES_CC_DEFS})
    _stub(name = "remote_coverage_tools", files = {"BUILD": _COVERAGE_BUILD, "noop.sh": "#!/bin/sh\n"})
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")
    native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")
    native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")
    _stub(name = "system", files = {"BUILD": _SYSTEM_BUILD})
