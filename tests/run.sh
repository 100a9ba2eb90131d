#!/bin/bash
# Builds everything and runs every test, from a fresh Debian 12 on. The last line counts the tests
# one by one; the exit status is 0 only where none failed.
#
#   tests/run.sh [--sanitizers] [--within MINUTES] [OPTIONS OF BAZEL]
#
# --sanitizers: afterwards the tests with threads built with ThreadSanitizer, and all C++ tests built
# with AddressSanitizer and UndefinedBehaviorSanitizer (.bazelrc).
# --within: so many minutes after the start sanitizers come to an end; what they have not come to by
# then is counted as skipped, by name. What failed until then fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

runs=(plain)
if [[ ${1-} == --sanitizers ]]; then
  runs+=(tsan asan)
  shift
fi
seconds=86400
if [[ ${1-} == --within ]]; then
  seconds=$((60 * $2))
  shift 2
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
  mode=(--config="$run") limit=$((seconds > SECONDS ? seconds - SECONDS : 1))
  [[ $run == plain ]] && mode=(-c opt) limit=86400
  echo "== ${mode[*]}"
  # Bazel takes an interrupt as the wish to stop, and still writes its events.
  timeout --signal=INT "$limit" \
    bazel test "${mode[@]}" --keep_going --build_event_json_file="$folder/$run" "$@" \
    //... </dev/null
  results+=(--run "$run" "$folder/$run" $?)
done
/usr/bin/python3 tests/count_results.py "${results[@]}"
