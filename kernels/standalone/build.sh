#!/bin/bash
# Builds the kernels' own binary without Bazel and without our libraries: build.sh FOLDER leaves
# FOLDER/kernels, which needs a driver and libc. With nvcc the CUDA kernels are in it; without one,
# or with PIPESCOPE_CUDA=0, their stubs. Sources that have not changed are not compiled again.
# build.sh FOLDER --list names the sources and compiles nothing.
set -euo pipefail
out=$(mkdir -p "${1:?usage: build.sh FOLDER [--list]}" && cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
cuda=1
[[ "${PIPESCOPE_CUDA:-1}" != 0 && -x "$nvcc" ]] || cuda=0

# What the binary is made of. Stand-ins for {fmt} and tl::expected: see include/.
sources=(
  kernels/standalone/main.cc kernels/timing.cc kernels/turn*.cc kernels/fp8/*.cc
  kernels/cuda/*_case.cc kernels/cuda/cases.cc
  kernels/fast/layers.cc kernels/fast/ends.cc kernels/fast/gemm.cc kernels/fast/attention.cc kernels/fast/router.cc
  kernels/fast/multiply_plain.cc
  kernels/train/*.cc sim/measured/profile.cc sim/measured/profile_json.cc sim/base/file.cc
  sim/base/json_text.cc sim/base/names.cc sim/base/quantity.cc sim/base/result.cc
  sim/timeline/bubbles.cc
  kernels/standalone/pipeline.cc kernels/executor/*.cc kernels/transformer/*.cc
  kernels/transformer/device/*.cc kernels/transformer/device/gpu/gpu_model.cc
  kernels/transformer/device/gpu/gpu_plan.cc kernels/transformer/device/gpu/share_id.cc
  kernels/transformer/device/gpu/sm_plan.cc schedules/families/*.cc
)
# Costs and schedules of files need libraries, and so do exact orders.
for source in schedules/*.cc schedules/optimize/*.cc; do
  [[ "$source" == *_file.cc || "$source" == */exact* ]] || sources+=("$source")
done
for source in kernels/exchange/*.cc kernels/bench/*.cc; do
  [[ "$source" == *_stub.cc || "$source" == *_blas_ops.cc ]] || sources+=("$source")
done
sources+=(kernels/bench/cpu_blas_stub.cc)  # no OpenBLAS
# NCCL's headers are needed to compile against it, its library only to run.
nccl=0
for folder in "$(dirname "$nvcc")/../include" /usr/include; do
  [[ $cuda == 0 || ! -e "$folder/nccl_device.h" ]] || nccl=1
done
if [[ $nccl == 1 ]]; then
  sources+=(kernels/exchange/nccl_exchange.cu kernels/exchange/nccl_library.cu
    kernels/transformer/device/gpu/nccl_link.cu)
else
  sources+=(kernels/exchange/nccl_exchange_stub.cc
    kernels/transformer/device/gpu/nccl_link_stub.cc)
fi
if [[ $cuda == 1 ]]; then
  sources+=(kernels/device.cu kernels/exchange/gpu_exchange.cu kernels/cuda/*.cu
    kernels/train/cuda/*.cu)
  for source in kernels/transformer/device/gpu/*.cu; do
    [[ "$source" == */nccl_link.cu ]] || sources+=("$source")
  done
else
  sources+=(kernels/device_stub.cc kernels/exchange/gpu_exchange_stub.cc kernels/cuda/stub.cc
    kernels/train/cuda/*_stub.cc kernels/transformer/device/gpu/gpu_device_stub.cc)
fi

if [[ "${2:-}" == --list ]]; then
  printf '%s\n' "${sources[@]}"
  exit
fi

compile() {
  local source=$1 object=$2
  if [[ "$source" == *.cu ]]; then
    "$nvcc" -std=c++20 -O3 -DNDEBUG -lineinfo --expt-relaxed-constexpr \
      -gencode=arch=compute_90a,code=sm_90a -I. -Ikernels/standalone/include -c "$source" -o "$object"
  else
    "${CXX:-g++}" -std=c++20 -O2 -DNDEBUG -Wall -Wextra -I. -Ikernels/standalone/include -c "$source" -o "$object"
  fi
}

export nvcc out
export -f compile
# A change of any header compiles all again: there is no finer record of what includes what.
newest=$(find kernels schedules sim \( -name '*.h' -o -name '*.cuh' -o -name '*.hpp' \) -printf '%T@ %p\n' |
  sort -n | tail -1 | cut -d' ' -f2)
objects=()
todo=()
for source in "${sources[@]}"; do
  object=$out/$(tr / _ <<<"$source").o
  objects+=("$object")
  [[ -e "$object" && "$object" -nt "$source" && "$object" -nt "$newest" ]] || todo+=("$source $object")
done
if ((${#todo[@]} > 0)); then
  printf '%s\n' "${todo[@]}" | xargs -P "${JOBS:-$(nproc)}" -L 1 bash -c 'compile "$1" "$2"' compile
fi
if [[ $cuda == 1 ]]; then
  "$nvcc" -cudart static -Xcompiler=-static-libstdc++,-static-libgcc -o "$out/kernels" "${objects[@]}" -ldl -lpthread
else
  "${CXX:-g++}" -static -o "$out/kernels" "${objects[@]}" -lpthread
fi
echo "$out/kernels"
