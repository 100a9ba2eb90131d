#include "sim/plan/space.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "schedules/registry.h"

namespace pipescope::plan {
namespace {

std::vector<int> PowersOfTwo(int most) {
  std::vector<int> list;
  for (int64_t n = 1; n <= most; n *= 2) list.push_back(static_cast<int>(n));
  return list;
}

std::vector<int> Pipelines(const std::vector<int>& gpus, int layers) {
  std::set<int> list;
  for (const int count : gpus) {
    for (int p = 1; p <= std::min(count, layers); ++p) {
      if (count % p == 0) list.insert(p);
    }
  }
  return {list.begin(), list.end()};
}

std::vector<int> SmsOf(const Experiment& e) {
  std::set<int> list = {e.communication.sms};
  if (e.model.routed_experts > 0) {
    for (const int sms : {8, 16, 24, 32}) {
      if (sms < e.cluster.gpu.sms) list.insert(sms);
    }
  }
  return {list.begin(), list.end()};
}

}  // namespace

Space DefaultSpace(Space s, const Experiment& e) {
  if (s.gpus.empty()) s.gpus = {e.cluster.gpus()};
  if (s.pipeline.empty()) s.pipeline = Pipelines(s.gpus, e.model.layers());
  if (s.tensor.empty()) s.tensor = PowersOfTwo(e.cluster.node.gpus);
  if (s.expert.empty()) s.expert = PowersOfTwo(std::max(1, e.model.routed_experts));
  if (s.micro_batch.empty()) s.micro_batch = {1, 2, 4};
  if (s.chunks.empty()) s.chunks = {2, 4};
  if (s.sms.empty()) s.sms = SmsOf(e);
  if (s.recompute.empty()) {
    s.recompute = {"none", "selective", "full"};
    const bool v3 = e.training.recompute == model::Recompute::kDeepseekV3;
    if (e.model.attention.latent() || v3) s.recompute.emplace_back("deepseek_v3");
  }
  if (s.schedules.empty()) {
    s.schedules = {"1f1b", "interleaved-1f1b", "zb-h1", "zbv", "dualpipe", "dualpipev"};
  }
  return s;
}

Result<std::vector<Structure>> StructuresOf(const Space& s, int context) {
  const size_t most = s.gpus.size() * s.pipeline.size() * s.tensor.size() * s.expert.size() *
                      s.micro_batch.size() * s.recompute.size();
  if (most > kMostStructures) {
    return Fail(
        fmt::format("{} combinations of plans before schedules; at most {} are looked at: "
                    "expected fewer values",
                    most, kMostStructures));
  }
  std::vector<Structure> list;
  for (const int gpus : s.gpus) {
    for (const int pipeline : s.pipeline) {
      for (const int tensor : s.tensor) {
        const int64_t one = static_cast<int64_t>(pipeline) * tensor * context;
        if (gpus % one != 0) continue;
        for (const int expert : s.expert) {
          if (gpus / pipeline % expert != 0) continue;
          for (const int64_t micro_batch : s.micro_batch) {
            for (const std::string& recompute : s.recompute) {
              list.push_back({gpus, pipeline, static_cast<int>(gpus / one), tensor, expert,
                              micro_batch, recompute});
            }
          }
        }
      }
    }
  }
  return list;
}

Result<std::vector<Pattern>> PatternsOf(const Space& space) {
  std::vector<Pattern> list;
  for (const std::string& name : space.schedules) {
    const auto family = schedules::FindFamily(name);
    if (!family) return Fail(family.error());
    if ((*family)->least_chunks == 0) {
      list.push_back({(*family)->name, 0});
      continue;
    }
    for (const int chunks : space.chunks) list.push_back({(*family)->name, chunks});
  }
  return list;
}

}  // namespace pipescope::plan
