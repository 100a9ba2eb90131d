#!/bin/bash
# Builds everything and runs every test, from a fresh Debian 12 on. The last line counts the tests
# one by one; the exit status is 0 only where none failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

events=$(mktemp) || exit 1
trap 'rm -f "$events"' EXIT

# Every way out leads through the counter, so that the last line is always the count.
if bash sim/bazel/install_debian.sh; then
  bazel test -c opt --keep_going --build_event_json_file="$events" "$@" //... </dev/null
  status=$?
else
  status=1
fi
python3 tests/count_results.py --events "$events" --bazel-status "$status"
