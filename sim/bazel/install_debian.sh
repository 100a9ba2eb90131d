#!/bin/bash
# Installs the Debian 12 packages that are missing, and calls apt-get only if one is.
#
#   install_debian.sh build   what building and running pipescope needs
#   install_debian.sh         that, and what the tests need
set -euo pipefail

build_packages=(
  build-essential      # g++ 12, the linker, the C library's headers
  bazel-bootstrap      # Bazel 4.2.3
  bazel-platforms      # repositories that Bazel would fetch from the network otherwise,
  bazel-rules-java     # served from disk by sim/bazel/debian.bzl
  bazel-rules-proto
  bazel-skylib
  coinor-libcbc-dev    # mixed-integer programs: the shortest order of small schedules
  libboost-graph-dev   # the fabric's graph and its shortest paths
  libcli11-dev         # the command line
  libexpat1-dev        # NCCL's topology files
  libexpected-dev      # Result<T>
  libfmt-dev           # text
  libopenmpi-dev       # ranks as processes, of one machine or many
  libopenblas-pthread-dev  # GEMMs of real runs on a CPU
  libsimgrid-dev       # the reference engine of shared links
  libyaml-cpp-dev      # YAML and JSON in
  nlohmann-json3-dev   # JSON out, and traces in
  zlib1g-dev           # traces that are gzip
  python3              # Bazel's own scripts
)
test_packages=(
  chromium             # opens the HTML report as a reader would
  clang-format-14      # the format of the sources
  libbenchmark-dev     # benchmarks of the schedules
  libgmock-dev
  libgtest-dev
  python3-jsonschema   # holds JSON outputs to the published schemas
  groff                # formats the manual page
  openmpi-bin          # starts the processes of a job
  nodejs               # drives chromium over its debugging pipe
)

case "${1:-all}" in
  build) wanted=("${build_packages[@]}") ;;
  all) wanted=("${build_packages[@]}" "${test_packages[@]}") ;;
  *)
    echo "usage: install_debian.sh [build]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=
  [[ $state == installed ]] || missing+=("$package")
done
((${#missing[@]} > 0)) || exit 0

echo "Installing: ${missing[*]}" >&2
as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing; install them as root: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
# No recommended packages: they bring a desktop along. Nothing may ask on the terminal.
{
  "${as_root[@]}" apt-get update --quiet
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes \
    --no-install-recommends "${missing[@]}"
} </dev/null >&2
