#!/bin/bash
# The verb's contract with scripts: exit codes, and which stream says what.
set -u
pipescope="$PWD/$1"
data="$PWD/$(dirname "$2")"
cd "$TEST_TMPDIR" || exit 1
unset BUILD_WORKING_DIRECTORY
failures=0

# expect CODE PATTERN ARGS...: the exit code, and a pattern that stdout and stderr together hold.
expect() {
  local code=$1 pattern=$2 output status
  shift 2
  output=$("$pipescope" "$@" 2>&1)
  status=$?
  if [[ $status != "$code" || $output != *"$pattern"* ]]; then
    echo "pipescope $*: exit $status, expected $code and '$pattern':"
    echo "$output"
    failures=$((failures + 1))
  fi
}

expect 0 "h800_2048_fat_tree     256 nodes x 8" topology list
expect 0 '"name": "gb200_nvl72"' topology list --format json
expect 0 "96 switches: 64 leaf, 32 spine" topology show h800_2048_fat_tree
expect 0 '"latency_s": 3.7e-06' topology show h800_2048_multi_plane --format json
expect 0 "Examples:" topology --help
expect 0 "Examples:" topology show --help
expect 0 "h100_dgx_pod: ok: 128 nodes x 8" topology check h100_dgx_pod
expect 2 "did you mean 'gb200_nvl72'?" topology show gb200_nvl7
expect 2 "no.yaml: cannot be opened" topology check no.yaml
expect 2 "" topology
expect 2 "" topology show
expect 2 "" topology show h100_dgx_pod --format xml
expect 2 "" topology draw h100_dgx_pod

echo "name: x" >wrong.yaml
expect 1 "wrong.yaml:1:1: nodes: is missing" topology check wrong.yaml
expect 2 "wrong.yaml:1:1: nodes: is missing" topology show wrong.yaml
echo "{" >broken.yaml
expect 2 "broken.yaml" topology check broken.yaml

expect 0 "" topology show h100_dgx_pod --format json -o out.json
grep -q '"gpus": 1024' out.json || { echo "out.json is not what was asked for"; failures=1; }
expect 2 "is a directory" topology show h100_dgx_pod -o .
"$pipescope" topology show h100_dgx_pod >one.txt
"$pipescope" topology show h100_dgx_pod >two.txt
cmp one.txt two.txt || failures=1

# A node and a network, each imported, are a cluster like any other.
expect 0 "the figures of H100 SXM5 80 GB" topology import "$data/h100_dump.xml" -o node.yaml
expect 0 "gpu and node are those of node.yaml" topology import "$data/ib_small.out" --node node.yaml -o cluster.yaml
expect 0 "ok: 4 nodes x 8 H100 SXM5 80 GB = 32 GPUs" topology check cluster.yaml
expect 0 "4 switches: 2 leaf, 2 spine" topology show cluster.yaml
expect 0 "" topology export cluster.yaml --to simgrid -o platform.xml
expect 0 "" topology export cluster.yaml --to dot -o picture.dot
[[ $(grep -c '<route ' platform.xml) == 992 ]] || { echo "platform.xml: not 32 * 31 routes"; failures=1; }
expect 0 "are unknown: the source does not name the GPU" topology import "$data/azure_ndv4-topo.xml" -o unknown.yaml
expect 0 "Unknown    gpu.sms" topology show unknown.yaml
expect 2 "not well-formed" topology import "$data/README.md" --from nccl
expect 2 "expected one of them" topology import "$data/README.md"
expect 2 "did you mean 'H100 SXM5 80 GB'?" topology import "$data/h100_vm.xml" --gpu "H100 SXM5 80 GBB"
expect 2 "2048 GPUs are" topology export h800_2048_fat_tree --to simgrid
expect 2 "" topology export h100_dgx_pod --to png
expect 2 "" topology import "$data/h100_vm.xml" --nodes 4

# Under `bazel run` relative paths count from where the user stands.
mkdir -p elsewhere && "$pipescope" topology show h100_dgx_pod -o elsewhere/a.txt
export BUILD_WORKING_DIRECTORY="$PWD/elsewhere"
expect 0 "" topology show h100_dgx_pod -o b.txt
[[ -f elsewhere/b.txt ]] || { echo "BUILD_WORKING_DIRECTORY is not obeyed"; failures=1; }

exit $((failures > 0))
