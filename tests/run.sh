#!/bin/bash
# Builds everything and runs every test, from a fresh Debian 12 on. The last line counts the tests
# one by one; the exit status is 0 only where none failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

events=$(mktemp) || exit 1
trap 'rm -f "$events"' EXIT

# Whatever happens, the last line is the count.
if bash sim/bazel/install_debian.sh; then
  bazel test -c opt --keep_going --build_event_json_file="$events" "$@" //... </dev/null
  status=$?
else
  status=1
fi
if [[ ! -x /usr/bin/python3 ]]; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
/usr/bin/python3 tests/count_results.py --events "$events" --bazel-status "$status"
