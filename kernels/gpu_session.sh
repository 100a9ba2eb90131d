#!/bin/bash
# Everything that wants a GPU, in one call of under eight minutes on a bare machine with nvcc:
#
#   kernels/gpu_session.sh [FOLDER]          results go to FOLDER, else to $OUT, else to out/session
#   kernels/gpu_session.sh FOLDER --device cpu     the same steps without a GPU
#
# Builds the kernels' own binary, then checks; trains a model under several schedules on one GPU that
# is divided among ranks, and compares with what was predicted; calibrates, which is bench and
# interference at once; times what the calibration left out, for predictions to be held against;
# compute-sanitizer on the checks. Each has its own limit of time, and one that fails does not stop
# the others. A second call goes on where the first one stopped: steps that went well are kept in out/, which git
# ignores, until the binary changes. Exit 1 where a step did not go well; summary.txt says which.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

results=${1:-${OUT:-out/session}}
device=cuda
if [[ "${2:-}" == --device ]]; then device=${3:?--device needs cpu or cuda}; fi
mkdir -p "$results" || exit 2
results=$(cd "$results" && pwd)
state=$PWD/out/kernels_session_$device
mkdir -p "$state"
begin=$SECONDS
most=${SESSION_SECONDS:-460}

# cuBLASLt may lie in Python's packages only.
packages=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' 2>/dev/null)
library=$(find /usr/local/cuda/lib64 "$packages/nvidia" -name 'libcublasLt.so.1[23]' 2>/dev/null | head -1)
[[ -z "$library" ]] || export LD_LIBRARY_PATH="$(dirname "$library"):${LD_LIBRARY_PATH:-}"

failed=0
summary=$state/summary.txt
: >"$summary"

# step NAME SECONDS FILE... -- COMMAND: runs what has not gone well before, keeps its files.
step() {
  local name=$1 limit=$2 files=() left=$((most - (SECONDS - begin)))
  shift 2
  while [[ "$1" != -- ]]; do files+=("$1") && shift; done
  shift
  if [[ "$name" != build && -e "$state/$name.done" && "$state/$name.done" -nt "$state/build/kernels" ]]; then
    echo "$name: went well before" | tee -a "$summary"
  elif ((left < 5)); then
    echo "$name: no time left; call again" | tee -a "$summary"
    failed=1
  else
    local from=$SECONDS status=0
    timeout $((limit < left ? limit : left)) "$@" || status=$?
    echo "$name: exit $status after $((SECONDS - from)) s" | tee -a "$summary"
    if ((status == 0)); then touch "$state/$name.done"; else failed=1; fi
  fi
  for file in "${files[@]}"; do
    [[ ! -e "$state/$file" ]] || cp "$state/$file" "$results/"
  done
  cp "$summary" "$results/"
}

context() {
  {
    date -u
    uname -srm
    nvcc --version 2>/dev/null | tail -2 || /usr/local/cuda/bin/nvcc --version | tail -2
    echo "cuBLASLt: ${library:-not found}"
    nvidia-smi 2>&1
    nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit,temperature.gpu,ecc.mode.current,mig.mode.current --format=csv 2>&1
  } >>"$state/context.txt"
  true  # what is not there is said in the file
}

build() {
  local cuda=1
  [[ "$device" == cuda ]] || cuda=0
  PIPESCOPE_CUDA=$cuda kernels/standalone/build.sh "$state/build" >"$state/build.log" 2>&1 ||
    { tail -40 "$state/build.log"; return 1; }
}

# memcheck on all FP8 kernels; racecheck where shared memory is written by hand and synchronised by
# __syncthreads. The GEMMs' barriers are of a kind that racecheck does not follow.
sanitize() {
  local tool=$(command -v compute-sanitizer || echo /usr/local/cuda/bin/compute-sanitizer)
  : >"$state/sanitizer.txt"
  if [[ ! -x "$tool" ]]; then
    echo "compute-sanitizer is not installed" | tee "$state/sanitizer.txt"
    return 3
  fi
  local status=0
  for run in "memcheck fp8" "memcheck attention" "racecheck quantize"; do
    read -r check kernel <<<"$run"
    echo "== $check $kernel" >>"$state/sanitizer.txt"
    "$tool" --tool "$check" --error-exitcode 9 "$state/build/kernels" check --device "$device" \
      --kernel "$kernel" >>"$state/sanitizer.txt" 2>&1 || status=$?
  done
  tail -3 "$state/sanitizer.txt"
  return "$status"
}

export -f context build sanitize
export state device library
kernels=$state/build/kernels

step context 20 context.txt -- bash -c context
step build 150 build.log -- bash -c build
step check 80 check.json -- "$kernels" check --device "$device" --json "$state/check.json"
pipeline=(--model large --ranks 4 --microbatches 16 --schedules 1f1b,zb1p,zbv,dualpipe)
[[ "$device" == cuda ]] || pipeline=(--model micro --schedules 1f1b,dualpipe)
step pipeline 100 pipeline.json -- "$kernels" pipeline --device "$device" "${pipeline[@]}" \
  --json "$state/pipeline.json"
beside=()
[[ "$device" == cpu ]] || beside=(--interference)
step calibrate 180 profile.json bench.json -- "$kernels" calibrate --device "$device" \
  "${beside[@]}" -o "$state/profile.json" --json "$state/bench.json"
# Shapes that the calibration left out: `pipescope kernels predict --profile profile.json --measured
# held_out.json` holds predictions from the one against the other, anywhere.
step held_out 120 held_out.json -- "$kernels" held-out --device "$device" "${beside[@]}" \
  -o "$state/held_out.json"
if [[ "$device" == cuda ]]; then
  step sanitize 100 sanitizer.txt -- bash -c sanitize
fi
# Clocks again, now that the chip is warm.
rm -f "$state/context.done"
step context 20 context.txt -- bash -c context
echo "session: $((SECONDS - begin)) s" | tee -a "$summary"
cp "$summary" "$results/"
exit "$failed"
