"""cuda_library: compiles .cu with nvcc and links like any cc_library."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("@local_cuda//:defs.bzl", "CUDA_ARCHS", "CUDA_HAS_NCCL", "CUDA_ROOT", "CUDA_VERSION")
load("//sim/bazel:copts.bzl", "PIPESCOPE_COPTS")

def _flags(ctx):
    """nvcc's flags for the mode in which we build, and for all architectures."""
    mode = ctx.var["COMPILATION_MODE"]
    # Its own files beside the object: in two sandboxes it has one process number, and in /tmp one name.
    flags = ["-std=c++20", "-objtemp", "-lineinfo", "-Xcompiler=-fPIC,-Wall,-Wextra", "--expt-relaxed-constexpr"]
    flags += ["-O3", "-DNDEBUG"] if mode == "opt" else (["-O0", "-g"] if mode == "dbg" else ["-O2"])
    for arch in CUDA_ARCHS:
        flags.append("-gencode=arch=compute_%s,code=sm_%s" % (arch, arch))
    return flags

def _arguments(ctx, flags, cc_toolchain, context):
    args = ctx.actions.args()
    args.add_all(flags)
    args.add("-ccbin", cc_toolchain.compiler_executable)
    args.add_all(context.includes, before_each = "-I")
    args.add_all(context.quote_includes, before_each = "-I")
    args.add_all(context.system_includes, before_each = "-isystem")
    args.add_all(context.defines, before_each = "-D")
    args.add("-I.")
    args.add_all(ctx.attr.copts)
    return args

def _cuda_objects_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    own = CcInfo(compilation_context = cc_common.create_compilation_context(
        headers = depset(ctx.files.hdrs),
    ))
    context = cc_common.merge_cc_infos(
        cc_infos = [own] + [d[CcInfo] for d in ctx.attr.deps],
    ).compilation_context

    flags = _flags(ctx)
    objects = []
    for src in ctx.files.srcs:
        obj = ctx.actions.declare_file("_cuda/%s/%s.o" % (ctx.label.name, src.basename))
        args = _arguments(ctx, flags, cc_toolchain, context)
        args.add("-c", src.path)
        args.add("-o", obj)
        ctx.actions.run(
            executable = CUDA_ROOT + "/bin/nvcc",
            arguments = [args],
            inputs = depset([src] + ctx.files.hdrs, transitive = [context.headers, cc_toolchain.all_files]),
            outputs = [obj],
            mnemonic = "CudaCompile",
            progress_message = "Compiling CUDA %s" % src.short_path,
            # The toolkit is outside the action's inputs; its version stands in for it.
            env = {"PATH": "/usr/bin:/bin", "CUDA_VERSION": CUDA_VERSION},
        )
        objects.append(obj)

    linking, outputs = cc_common.create_linking_context_from_compilation_outputs(
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = cc_toolchain,
        compilation_outputs = cc_common.create_compilation_outputs(
            objects = depset(objects),
            pic_objects = depset(objects),
        ),
        linking_contexts = [d[CcInfo].linking_context for d in ctx.attr.deps],
        name = ctx.label.name,
        disallow_dynamic_library = True,
    )
    files = [outputs.library_to_link.pic_static_library or outputs.library_to_link.static_library]
    return [
        DefaultInfo(files = depset(files)),
        CcInfo(compilation_context = context, linking_context = linking),
    ]

_cuda_objects = rule(
    implementation = _cuda_objects_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = [".cu"]),
        "hdrs": attr.label_list(allow_files = [".h", ".cuh"]),
        "deps": attr.label_list(providers = [CcInfo]),
        "copts": attr.string_list(),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def cuda_library(name, srcs, hdrs, stub_srcs, deps = [], cuda_deps = [], copts = [], needs_nccl = False, visibility = None):
    """`name` is the nvcc build where CUDA is enabled, else a cc_library of `stub_srcs`.

    With `needs_nccl`, also where NCCL's headers are missing from the toolkit.

    Both provide the same headers, so a cc_binary depends on `name` either way.
    """
    _cuda_objects(
        name = name + "_cuda",
        srcs = srcs,
        hdrs = hdrs,
        copts = copts,
        deps = deps + cuda_deps + ["@local_cuda//:cudart"],
        tags = ["manual"],  # `//...` must not reach nvcc where there is none
    )
    native.cc_library(
        name = name + "_stub",
        srcs = stub_srcs,
        hdrs = hdrs,
        copts = PIPESCOPE_COPTS,
        deps = deps,
        tags = ["manual"],
    )
    native.alias(
        name = name,
        actual = select({
            "@local_cuda//:enabled": ":%s_%s" % (name, "cuda" if CUDA_HAS_NCCL or not needs_nccl else "stub"),
            "//conditions:default": ":%s_stub" % name,
        }),
        visibility = visibility,
    )

def _cuda_listing_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    context = cc_common.merge_cc_infos(cc_infos = [d[CcInfo] for d in ctx.attr.deps]).compilation_context
    ptx = ctx.actions.declare_file(ctx.label.name + ".ptx")
    said = ctx.actions.declare_file(ctx.label.name + ".txt")
    args = _arguments(ctx, _flags(ctx)[:-len(CUDA_ARCHS)], cc_toolchain, context)
    args.add("-arch=sm_" + CUDA_ARCHS[0])
    args.add("-ptx", ctx.file.src.path)
    args.add("-o", ptx)
    ctx.actions.run_shell(
        command = " && ".join([
            "export TMPDIR=$(mktemp -d)",
            "trap 'rm -r $TMPDIR' EXIT",
            "{root}/bin/nvcc $@",
            "{root}/bin/ptxas -v -arch=sm_{arch} {ptx} -o /dev/null 2> {said}",
        ]).format(
            root = CUDA_ROOT,
            arch = CUDA_ARCHS[0],
            ptx = ptx.path,
            said = said.path,
        ),
        arguments = [args],
        inputs = depset([ctx.file.src] + ctx.files.hdrs, transitive = [context.headers, cc_toolchain.all_files]),
        outputs = [ptx, said],
        mnemonic = "CudaListing",
        env = {"PATH": "/usr/bin:/bin", "CUDA_VERSION": CUDA_VERSION},
    )
    outputs = [ptx, said]
    return [DefaultInfo(files = depset(outputs), runfiles = ctx.runfiles(files = outputs))]

# What nvcc made of one source for the first architecture: NAME.ptx, and in NAME.txt what ptxas -v
# says of registers and spills. For tests that look into compiled code.
cuda_listing = rule(
    implementation = _cuda_listing_impl,
    attrs = {
        "src": attr.label(allow_single_file = [".cu"]),
        "hdrs": attr.label_list(allow_files = [".h", ".cuh"]),
        "deps": attr.label_list(providers = [CcInfo]),
        "copts": attr.string_list(),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
