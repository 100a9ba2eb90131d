#!/bin/bash
# One step of DeepSeek-V3 on 2048 H800 under 1F1B, ZB1P and DualPipe, from a fresh Debian 12 on:
# installs, builds, prints the comparison and leaves report.html and trace.json where you stand.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

bash "$root/sim/bazel/install_debian.sh" build
(cd "$root" && bazel build -c opt //:pipescope)
# Paths of the command count from where the caller stands.
unset BUILD_WORKING_DIRECTORY
"$root/bazel-bin/cli/pipescope" compare "$root/experiments/deepseek_v3_h800.yaml" \
  --schedules 1f1b,zb1p,dualpipe --html report.html --trace trace.json

echo
echo "Report, for any browser:       $PWD/report.html"
echo "Trace, for ui.perfetto.dev:    $PWD/trace.json"
