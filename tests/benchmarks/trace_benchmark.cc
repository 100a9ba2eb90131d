// How fast a profiler's trace is read, from a file as PyTorch writes it, made here: launches and
// kernels of four streams. `bytes_per_second` counts the file's.
//
// bazel run -c opt //tests/benchmarks:trace_benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "sim/trace/read.h"

namespace pipescope {
namespace {

std::string TraceText(int kernels) {
  std::string text =
      "{\"schemaVersion\": 1, \"deviceProperties\": [{\"id\": 0, \"name\": \"NVIDIA H800\", "
      "\"numSms\": 132}], \"traceEvents\": [\n";
  for (int i = 0; i < kernels; ++i) {
    text += fmt::format(
        "{{\"ph\": \"X\", \"cat\": \"cuda_runtime\", \"name\": \"cudaLaunchKernel\", \"pid\": 7, "
        "\"tid\": 7, \"ts\": {0}, \"dur\": 3, \"args\": {{\"cbid\": 211, \"correlation\": "
        "{1}}}}},\n"
        "{{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"void fp8_gemm_kernel<{2}u, "
        "4096u>(float*, "
        "__nv_bfloat16*)\", \"pid\": 0, \"tid\": {2}, \"ts\": {3}, \"dur\": 9, \"args\": {{"
        "\"device\": 0, \"context\": 1, \"stream\": {2}, \"correlation\": {1}, \"grid\": [132, 1, "
        "1], "
        "\"block\": [256, 1, 1], \"est. achieved occupancy %\": 12}}}}{4}\n",
        10 * i, i + 1, 7 + i % 4, 10 * i + 20, i + 1 < kernels ? "," : "");
  }
  return text + "], \"traceName\": \"rank0.json\"}\n";
}

void BM_ReadTrace(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "pipescope-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no temporary folder");
  const std::string file = folder + "/trace.json";
  const std::string text = TraceText(static_cast<int>(state.range(0)));
  std::ofstream(file) << text;
  for (auto _ : state) {
    const auto trace = trace::ReadTrace(file);
    if (!trace) {
      state.SkipWithError(trace.error().message.c_str());
      break;
    }
    benchmark::DoNotOptimize(trace->operations.size());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  std::filesystem::remove_all(folder);
}
BENCHMARK(BM_ReadTrace)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pipescope
