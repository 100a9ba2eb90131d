"""Everything that a WORKSPACE needs to build pipescope, be it ours or another one's.

    local_repository(name = "pipescope", path = "/path/to/pipescope")
    load("@pipescope//sim/bazel:workspace.bzl", "pipescope_repositories")
    pipescope_repositories()
"""

load("//kernels/bazel:cuda_configure.bzl", "cuda_configure")
load("//sim/bazel:debian.bzl", "debian_repositories")

def pipescope_repositories():
    # Offline: every external repository is a Debian package or is generated.
    debian_repositories()
    cuda_configure(name = "local_cuda")
