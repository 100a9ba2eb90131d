#!/bin/bash
# Runs SCRIPT.mjs in node, or reports a skipped case where a browser cannot be had.
set -uo pipefail
missing=
for program in "${CHROMIUM:-chromium}" node; do
  command -v "$program" >/dev/null || missing+=" $program"
done
if [[ -n $missing ]]; then
  echo "SKIPPED: not installed:$missing"
  cat >"$XML_OUTPUT_FILE" <<END
<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="browser" tests="1" skipped="1">
<testcase classname="browser" name="$(basename "$1")"><skipped message="not installed:$missing"/></testcase>
</testsuite></testsuites>
END
  exit 0
fi
# Chromium keeps state below HOME, whatever its profile's folder: leave the user's alone. Its socket's
# path has to be short, which Bazel's own temporary folder is not.
HOME=$(mktemp -d /tmp/web.XXXXXX) || exit 1
export HOME TMPDIR=$HOME
unset XDG_CONFIG_HOME XDG_CACHE_HOME
trap 'rm -rf "$HOME"' EXIT
node "$@"
