#!/bin/bash
# What pipescope_regress_test runs: PIPESCOPE BASELINE. Each figure is a test case of its own.
set -euo pipefail
unset BUILD_WORKING_DIRECTORY
exec "$1" regress --baseline "$2" --junit "${XML_OUTPUT_FILE:-/dev/null}"
