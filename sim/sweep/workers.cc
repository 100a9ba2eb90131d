#include "sim/sweep/workers.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace pipescope::sweep {
namespace {

constexpr int kMostWorkers = 1 << 16;

std::optional<int> Number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<Worker> WorkerOf(const std::string& rank, const std::string& size) {
  const auto r = Number(rank), s = Number(size);
  if (!r || !s || *r < 0 || *r >= *s || *s > kMostWorkers) return {};
  return Worker{*r, *s};
}

}  // namespace

Result<Worker> ParseWorker(const std::string& text) {
  const size_t slash = text.find('/');
  const auto worker = slash == std::string::npos
                          ? std::nullopt
                          : WorkerOf(text.substr(0, slash), text.substr(slash + 1));
  if (worker) return *worker;
  return Fail(
      fmt::format("--worker '{}': expected rank/size, such as 0/3 of the first of three", text));
}

Result<Worker> WorkerFromEnvironment(const std::function<const char*(const char*)>& get) {
  const char* const names[][2] = {{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                  {"PMI_RANK", "PMI_SIZE"},
                                  {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}};
  for (const auto& [rank, size] : names) {
    const char* r = get(rank);
    const char* s = get(size);
    if (r == nullptr || s == nullptr) continue;
    if (const auto worker = WorkerOf(r, s)) return *worker;
    return Fail(fmt::format("the environment says {}={} and {}={}: expected a rank below the size",
                            rank, r, size, s));
  }
  return Worker{};
}

}  // namespace pipescope::sweep
