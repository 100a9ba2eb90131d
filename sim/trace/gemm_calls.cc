#include "sim/trace/gemm_calls.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

namespace pipescope::trace {
namespace {

using measured::Format;
using measured::Pass;
using Sizes = std::tuple<int64_t, int64_t, int64_t, int64_t>;  // groups, m, n, k

// The last two inputs that are matrices, or batches of them, and fit each other.
bool ReadSizes(const Call& call, GemmCall& gemm) {
  std::vector<std::vector<int64_t>> matrices;
  for (const auto& input : call.inputs) {
    if (input.size() == 2 || input.size() == 3) matrices.push_back(input);
  }
  if (matrices.size() < 2) return false;
  const auto &a = matrices[matrices.size() - 2], &b = matrices.back();
  if (a.size() != b.size()) return false;
  const size_t at = a.size() - 2;
  if (a[at + 1] != b[at] || (at == 1 && a[0] != b[0])) return false;
  gemm.groups = at == 1 ? a[0] : 1;
  gemm.m = a[at];
  gemm.k = a[at + 1];
  gemm.n = b[at + 1];
  return gemm.groups > 0 && gemm.m > 0 && gemm.n > 0 && gemm.k > 0;
}

Format FormatOf(const Trace& trace, const Call& call) {
  if (call.type < 0) return Format::kUnknown;
  const std::string& type = trace.names[static_cast<size_t>(call.type)];
  if (type == "c10::BFloat16") return Format::kBf16;
  if (type == "float") return Format::kFp32;
  return type.starts_with("c10::Float8") ? Format::kFp8 : Format::kUnknown;
}

// Device time by the call around the launch, innermost first, on the launch's thread.
class Launched {
 public:
  explicit Launched(const Trace& trace) {
    for (size_t i = 0; i < trace.operations.size(); ++i) {
      const DeviceOperation& op = trace.operations[i];
      if (op.correlation >= 0) time_[op.correlation] += op.length;
    }
    for (const Launch& launch : trace.launches) {
      const auto at = time_.find(launch.correlation);
      if (at == time_.end()) continue;
      by_thread_[launch.thread].emplace_back(launch.start, at->second);
    }
  }

  Duration During(const Call& call) const {
    Duration sum;
    const auto at = by_thread_.find(call.thread);
    if (at == by_thread_.end()) return sum;
    auto launch =
        std::lower_bound(at->second.begin(), at->second.end(), std::pair(call.start, Duration()));
    for (; launch != at->second.end() && launch->first < call.end(); ++launch) {
      sum += launch->second;
    }
    return sum;
  }

 private:
  std::unordered_map<int64_t, Duration> time_;                               // by correlation
  std::map<int32_t, std::vector<std::pair<Duration, Duration>>> by_thread_;  // launch, device time
};

// Whether a function of the backward pass is around each call. Calls come by start, outer first.
std::vector<bool> InBackward(const Trace& trace) {
  std::vector<bool> inside;
  std::map<int32_t, Duration> until;  // by thread
  for (const Call& call : trace.calls) {
    Duration& end = until[call.thread];
    const bool function =
        trace.names[static_cast<size_t>(call.name)].starts_with(kBackwardFunction);
    inside.push_back(!function && call.start < end);
    if (function) end = std::max(end, call.end());
  }
  return inside;
}

// The pass of a backward GEMM, by the forward ones; false where it is nobody's.
bool FindPass(const std::set<Sizes>& forward, GemmCall& gemm) {
  const auto [g, m, n, k] = Sizes{gemm.groups, gemm.m, gemm.n, gemm.k};
  if (forward.contains({g, m, k, n})) {
    gemm.pass = Pass::kInputGrad;
    return true;
  }
  gemm.pass = Pass::kWeightGrad;
  if (forward.contains({g, k, m, n})) {  // [n x m] [m x k]
    std::swap(gemm.m, gemm.n);
    return true;
  }
  return forward.contains({g, k, n, m});  // [k x m] [m x n] as it is
}

}  // namespace

std::vector<GemmCall> GemmCalls(const Trace& trace) {
  const Launched launched(trace);
  const std::vector<bool> backward = InBackward(trace);
  std::vector<GemmCall> forward, others;
  std::set<Sizes> sizes;
  for (size_t i = 0; i < trace.calls.size(); ++i) {
    GemmCall gemm;
    if (!ReadSizes(trace.calls[i], gemm)) continue;
    gemm.format = FormatOf(trace, trace.calls[i]);
    gemm.time = launched.During(trace.calls[i]);
    if (gemm.time == Duration()) continue;
    if (!backward[i]) sizes.insert({gemm.groups, gemm.m, gemm.n, gemm.k});
    (backward[i] ? others : forward).push_back(gemm);
  }
  for (GemmCall& gemm : others) {
    if (FindPass(sizes, gemm)) forward.push_back(gemm);
  }
  return forward;
}

}  // namespace pipescope::trace
