// The ranks of a run and what they have in common, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kernels/transformer/exchange_rows.h"
#include "kernels/transformer/rank.h"
#include "schedules/token.h"

namespace pipescope::transformer {

using schedules::ActionKind;

std::vector<std::vector<int>> ExpertGroups(const Training& training, int ranks) {
  const int of_pipeline = ranks / training.replicas;
  std::vector<std::vector<int>> groups;
  for (int rank = 0; rank < ranks; ++rank) {
    const int pipeline = rank / of_pipeline, first = pipeline - pipeline % training.expert_ranks;
    auto& group = groups.emplace_back();
    for (int place = 0; place < training.expert_ranks; ++place) {
      group.push_back((first + place) * of_pipeline + rank % of_pipeline);
    }
  }
  return groups;
}

std::vector<std::unique_ptr<executor::RankWork>> MakeRanks(Training& training,
                                                           const schedules::Schedule& schedule) {
  const ModelConfig& m = training.model;
  const auto groups = ExpertGroups(training, schedule.ranks);
  std::map<int, std::shared_ptr<kernels::exchange::CpuGroup>> exchanges;  // by first rank
  std::vector<std::unique_ptr<executor::RankWork>> ranks;
  for (int r = 0; r < schedule.ranks; ++r) {
    std::set<int> stages;
    for (const schedules::Action& action : schedule.actions[static_cast<size_t>(r)]) {
      stages.insert(action.stage.value());
      stages.insert(schedules::BackwardStage(action).value());
    }
    const auto& group = groups[static_cast<size_t>(r)];
    ExpertShare share{0, m.expert_groups};
    std::unique_ptr<ExpertCarrier> carrier;
    if (group.size() > 1) {
      auto& exchange = exchanges[group.front()];
      if (exchange == nullptr) exchange = MakeGroup(m).value();  // CheckRun has tried it
      const auto place = std::find(group.begin(), group.end(), r) - group.begin();
      share = {static_cast<int>(place), 1};
      carrier = std::make_unique<OverExchange>(m, exchange, share.first);
    } else if (m.expert_groups > 1) {
      carrier = std::make_unique<OnOneRank>(m.routing.experts, m.routing.selected, m.expert_groups);
    }
    ranks.push_back(std::make_unique<Rank>(training, std::vector<int>(stages.begin(), stages.end()),
                                           share, std::move(carrier)));
  }
  return ranks;
}

schedules::Schedule Replicate(const schedules::Schedule& one, int replicas) {
  schedules::Schedule all = one;
  all.ranks *= replicas;
  all.microbatches *= replicas;
  for (int replica = 1; replica < replicas; ++replica) {
    const int offset = replica * one.microbatches;
    for (auto actions : one.actions) {
      for (schedules::Action& action : actions) {
        action.microbatch = MicrobatchId(action.microbatch.value() + offset);
        if (action.kind != ActionKind::kOverlapped) continue;
        action.backward_microbatch = MicrobatchId(action.backward_microbatch.value() + offset);
      }
      all.actions.push_back(std::move(actions));
    }
  }
  return all;
}

schedules::Schedule OneRank(int microbatches) {
  schedules::Schedule schedule{"one rank", 1, 1, microbatches, 1, {{}}};
  for (int m = 0; m < microbatches; ++m) {
    for (const ActionKind kind : {ActionKind::kForward, ActionKind::kBackward}) {
      schedule.actions[0].push_back({kind, StageId(0), MicrobatchId(m)});
    }
  }
  return schedule;
}

double TakeLoss(const Training& training,
                const std::vector<std::unique_ptr<executor::RankWork>>& works) {
  std::map<int, Stage::Losses> losses;
  for (const auto& work : works) {
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*work).stages()) {
      losses.merge(stage->TakeLosses());
    }
  }
  PIPESCOPE_CHECK(losses.size() == static_cast<size_t>(training.microbatches));
  double sum = 0;
  for (const auto& [mb, loss] : losses) sum += loss.head + training.model.mtp_weight * loss.mtp;
  return sum * training.LossWeight();
}

std::vector<std::vector<int>> Partners(
    const std::vector<std::unique_ptr<executor::RankWork>>& works) {
  std::map<std::string, std::set<int>> holders;
  const auto each = [&](size_t rank, const auto& visit) {
    for (const auto& [s, stage] : dynamic_cast<const Rank&>(*works[rank]).stages()) {
      for (const Parameter* p : stage->parameters()) visit(p->name());
    }
  };
  std::vector<std::vector<int>> partners;
  for (size_t r = 0; r < works.size(); ++r) {
    each(r, [&](const std::string& name) { holders[name].insert(static_cast<int>(r)); });
  }
  for (size_t r = 0; r < works.size(); ++r) {
    std::set<int> all;
    each(r,
         [&](const std::string& name) { all.insert(holders[name].begin(), holders[name].end()); });
    partners.emplace_back(all.begin(), all.end());
  }
  return partners;
}

Status CheckRun(const ModelConfig& model, const schedules::Schedule& schedule) {
  if (Status ok = CheckModel(model); !ok) return ok;
  if (schedule.slices > 1) {
    return Fail(schedule.name + " cuts sequences into slices, which the model cannot");
  }
  if (model.expert_groups > 1) {
    if (const auto group = MakeGroup(model); !group) return Fail(group.error());
  }
  if (schedule.stages <= model.layers) return {};
  return Fail(fmt::format("{} has {} stages for {} layers: expected a layer for each",
                          schedule.name, schedule.stages, model.layers));
}

}  // namespace pipescope::transformer
