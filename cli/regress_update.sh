#!/bin/bash
# What `bazel run NAME.update` runs: PIPESCOPE BASELINE. Writes into the source tree.
set -euo pipefail
: "${BUILD_WORKSPACE_DIRECTORY:?run it with bazel run}"
export BUILD_WORKING_DIRECTORY=$BUILD_WORKSPACE_DIRECTORY
exec "$1" regress --baseline "$2" --update
