#include "sim/trace/align.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sim/trace/operation_class.h"

namespace pipescope::trace {
namespace {

using Ends = std::vector<Duration>;

// Ends of what others take part in, by key.
std::map<std::string, Ends> EndsByKey(const Trace& trace) {
  const std::vector<OperationClass> classes = Classify(trace);
  std::map<std::string, Ends> ends;
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const DeviceOperation& op = trace.operations[i];
    const int32_t key = op.common >= 0 ? op.common
                        : IsCommunication(classes[i]) && classes[i] != OperationClass::kSendReceive
                            ? op.name
                            : -1;
    if (key >= 0) ends[trace.names[static_cast<size_t>(key)]].push_back(op.end());
  }
  return ends;
}

Duration Median(std::vector<Duration> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

using Pair = std::pair<size_t, size_t>;

// How much later the second one's operations end than the first one's, each by its own times. Those
// that share a key are compared one with the next, which ties all of them together.
std::map<Pair, std::vector<Duration>> Differences(const std::vector<Trace>& traces) {
  std::map<std::string, std::vector<std::pair<size_t, Ends>>> holders;
  for (size_t t = 0; t < traces.size(); ++t) {
    for (auto& [key, ends] : EndsByKey(traces[t])) holders[key].emplace_back(t, std::move(ends));
  }
  std::map<Pair, std::vector<Duration>> differences;
  for (const auto& [key, list] : holders) {
    for (size_t i = 1; i < list.size(); ++i) {
      const auto& [a, ends_a] = list[i - 1];
      const auto& [b, ends_b] = list[i];
      if (ends_a.size() != ends_b.size()) continue;
      std::vector<Duration>& all = differences[{a, b}];
      for (size_t k = 0; k < ends_a.size(); ++k) all.push_back(ends_b[k] - ends_a[k]);
    }
  }
  return differences;
}

// Offsets along the pairs with most in common, from the first trace on.
Result<std::vector<Duration>> Tie(const std::vector<Trace>& traces,
                                  const std::map<Pair, std::vector<Duration>>& differences) {
  std::vector<Duration> offset(traces.size());
  std::vector<bool> tied(traces.size());
  tied[0] = true;
  for (size_t done = 1; done < traces.size(); ++done) {
    const Pair* best = nullptr;
    size_t most = 0;
    for (const auto& [pair, all] : differences) {
      if (tied[pair.first] == tied[pair.second] || all.size() <= most) continue;
      most = all.size();
      best = &pair;
    }
    if (best == nullptr) {
      const auto lost = std::find(tied.begin(), tied.end(), false) - tied.begin();
      return Fail(
          Error{"has no collective or message in common with the traces before it, by "
                "which their clocks could be compared",
                {traces[static_cast<size_t>(lost)].file}});
    }
    const Duration later = Median(differences.at(*best));
    const auto [a, b] = *best;
    if (tied[a]) {
      offset[b] = offset[a] + later;
    } else {
      offset[a] = offset[b] - later;
    }
    tied[a] = tied[b] = true;
  }
  return offset;
}

}  // namespace

Result<Alignment> Align(const std::vector<Trace>& traces) {
  const auto differences = Differences(traces);
  auto offset = Tie(traces, differences);
  if (!offset) return Fail(offset.error());
  Alignment alignment;
  alignment.offset = *std::move(offset);
  std::vector<Duration> errors;
  for (const auto& [pair, all] : differences) {
    const Duration expected = alignment.offset[pair.second] - alignment.offset[pair.first];
    for (const Duration d : all) {
      errors.push_back(std::max(d - expected, expected - d));
    }
  }
  alignment.common = static_cast<int64_t>(errors.size());
  if (!errors.empty()) alignment.error = Median(std::move(errors));
  for (size_t t = 0; t < traces.size(); ++t) {
    alignment.clock_ns.push_back(traces[t].epoch_ns - traces[0].epoch_ns +
                                 alignment.offset[t].picoseconds() / 1000);
  }
  return alignment;
}

}  // namespace pipescope::trace
