"""Finds the CUDA toolkit and writes @local_cuda; without one, writes the same targets as stubs.

Environment (pass with --repo_env=NAME=VALUE):
  CUDA_PATH       toolkit root; default /usr/local/cuda
  PIPESCOPE_CUDA    "0" behaves as if no toolkit were installed
  PIPESCOPE_CUDA_ARCHS  comma list, default "90a"
"""

_ENV = ["CUDA_PATH", "PIPESCOPE_CUDA", "PIPESCOPE_CUDA_ARCHS"]

def _nvcc_version(ctx, nvcc):
    """Returns "13.0", or "" when nvcc does not run."""
    result = ctx.execute([nvcc, "--version"])
    if result.return_code != 0:
        return ""
    for line in result.stdout.splitlines():
        if ", release " in line:
            return line.split(", release ")[1].split(",")[0].strip()
    return ""

_BUILD_HEAD = """
load("@bazel_skylib//rules:common_settings.bzl", "bool_flag")

package(default_visibility = ["//visibility:public"])

# --@local_cuda//:enable=false builds the stubs on a machine that has a toolkit.
bool_flag(name = "enable", build_setting_default = {found})

config_setting(name = "enabled", flag_values = {{":enable": "true"}})
"""

_BUILD_CUDA = """
cc_library(
    name = "headers",
    hdrs = glob(["include/**"], exclude = ["include/cccl/**", "include/cudnn*"]),
    includes = ["include"],
)

cc_library(
    name = "cudart",
    srcs = ["lib64/libcudart_static.a"],
    linkopts = ["-ldl", "-lpthread", "-lrt"],
)

cc_library(name = "nccl", linkopts = ["-L{root}/lib64", "-lnccl", "-Wl,-rpath,{root}/lib64"], deps = [":cudart"])
"""

_BUILD_NONE = """
cc_library(name = "headers")
cc_library(name = "cudart")
cc_library(name = "nccl")
"""

_DEFS = """
CUDA_FOUND = {found}
CUDA_ROOT = "{root}"
CUDA_VERSION = "{version}"
CUDA_HAS_NCCL = {nccl}
CUDA_ARCHS = {archs}

def if_cuda(if_true, if_false = []):
    return select({{"@local_cuda//:enabled": if_true, "//conditions:default": if_false}})
"""

def _impl(ctx):
    env = ctx.os.environ
    root = env.get("CUDA_PATH", "/usr/local/cuda")
    version = ""
    if env.get("PIPESCOPE_CUDA", "1") != "0" and ctx.path(root + "/bin/nvcc").exists:
        version = _nvcc_version(ctx, root + "/bin/nvcc")
    found = version != ""
    nccl = found and ctx.path(root + "/include/nccl.h").exists
    build = _BUILD_HEAD.format(found = found)
    if found:
        ctx.symlink(root + "/include", "include")
        ctx.symlink(root + "/lib64", "lib64")
        build += _BUILD_CUDA.format(root = root)
    else:
        build += _BUILD_NONE
    ctx.file("BUILD", build)
    ctx.file("defs.bzl", _DEFS.format(
        found = found,
        root = root if found else "",
        version = version,
        nccl = nccl,
        archs = [a for a in env.get("PIPESCOPE_CUDA_ARCHS", "90a").split(",") if a],
    ))

cuda_configure = repository_rule(
    implementation = _impl,
    environ = _ENV,
    local = True,      # re-evaluated every server start: cheap, and sees a new toolkit
    configure = True,  # and by `bazel sync --configure`
)
