#!/bin/bash
# Builds everything and runs every test, from a fresh Debian 12 on. The last line counts the tests
# one by one; the exit status is 0 only where none failed.
#
#   tests/run.sh [--sanitizers] [OPTIONS OF BAZEL]
#
# --sanitizers: afterwards the same tests built with AddressSanitizer and UndefinedBehavior-
# Sanitizer, and those with threads built with ThreadSanitizer (.bazelrc).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

runs=(plain)
if [[ ${1-} == --sanitizers ]]; then
  runs+=(asan tsan)
  shift
fi
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# Whatever happens, the last line is the count.
if ! bash sim/bazel/install_debian.sh; then
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
results=()
for run in "${runs[@]}"; do
  mode=(--config="$run")
  [[ $run == plain ]] && mode=(-c opt)
  echo "== ${mode[*]}"
  bazel test "${mode[@]}" --keep_going --build_event_json_file="$folder/$run" "$@" \
    //... </dev/null
  results+=(--run "$run" "$folder/$run" $?)
done
/usr/bin/python3 tests/count_results.py "${results[@]}"
