// The ranks of a run and what they have in common, of rank.h.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kernels/executor/packed.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/exchange_rows.h"
#include "kernels/transformer/letter_rows.h"
#include "kernels/transformer/rank.h"
#include "schedules/token.h"

namespace pipescope::transformer {

using schedules::ActionKind;

namespace {

struct OfMicrobatch {
  int microbatch;
  Losses losses;
};

}  // namespace

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

namespace {

using Exchanges = std::map<int, std::shared_ptr<kernels::exchange::CpuGroup>>;  // by first rank

// `post`: between processes; null where ranks are threads.
std::unique_ptr<ExpertCarrier> CarrierOf(const ModelConfig& m, const std::vector<int>& group,
                                         int place, executor::Post* post, Exchanges& exchanges) {
  if (post != nullptr) {
    return std::make_unique<OverLetters>(m, std::make_unique<PostLetters>(*post, group), place);
  }
  auto& exchange = exchanges[group.front()];
  if (exchange == nullptr) exchange = MakeGroup(m).value();  // CheckRun has tried it
  return std::make_unique<OverExchange>(m, exchange, place);
}

std::unique_ptr<executor::RankWork> MakeRank(Training& training, int r,
                                             const std::vector<schedules::Action>& actions,
                                             const std::vector<int>& group, executor::Post* post,
                                             Exchanges& exchanges) {
  const ModelConfig& m = training.model;
  ExpertShare share{0, m.expert_groups};
  std::unique_ptr<ExpertCarrier> carrier;
  if (group.size() > 1) {
    const auto place = std::find(group.begin(), group.end(), r) - group.begin();
    share = {static_cast<int>(place), 1};
    carrier = CarrierOf(m, group, share.first, post, exchanges);
  } else if (m.expert_groups > 1) {
    carrier = std::make_unique<OnOneRank>(m.routing.experts, m.routing.selected, m.expert_groups);
  }
  return std::make_unique<Rank>(training, StagesOf(actions), share, std::move(carrier));
}

}  // namespace

std::vector<int> StagesOf(const std::vector<schedules::Action>& actions) {
  std::set<int> stages;
  for (const schedules::Action& action : actions) {
    stages.insert(action.stage.value());
    stages.insert(schedules::BackwardStage(action).value());
  }
  return {stages.begin(), stages.end()};
}

Result<executor::Works> MakeRanks(Training& training, const schedules::Schedule& schedule,
                                  executor::Crew& crew) {
  if (training.maker != nullptr) return training.maker->Make(training, schedule, crew);
  const auto groups = ExpertGroups(training, schedule.ranks);
  Exchanges exchanges;
  executor::Works ranks;
  for (const int r : crew.RanksOf(schedule.ranks)) {
    const size_t at = static_cast<size_t>(r);
    ranks.push_back(
        MakeRank(training, r, schedule.actions[at], groups[at], crew.post(), exchanges));
  }
  if (Status ok = training.copies.Connect(crew); !ok) return Fail(ok.error());
  return ranks;
}

executor::Works MakeRanks(Training& training, const schedules::Schedule& schedule) {
  executor::ThreadCrew threads;
  return std::move(*MakeRanks(training, schedule, threads));
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

Result<double> TakeLoss(const Training& training, const executor::Works& works,
                        executor::Crew& crew) {
  executor::Packer packer;
  for (const auto& work : works) {
    for (const auto& [mb, loss] : dynamic_cast<ModelRank&>(*work).TakeLosses()) {
      packer.Put(OfMicrobatch{mb, loss});
    }
  }
  const auto all = crew.Gather(packer.Take());
  if (!all) return Fail(all.error());
  if (!crew.leads()) return 0;
  std::map<int, Losses> losses;
  for (const std::string& bytes : *all) {
    executor::Unpacker unpacker(bytes);
    for (size_t i = 0; i < bytes.size() / sizeof(OfMicrobatch); ++i) {
      const auto loss = unpacker.Get<OfMicrobatch>();
      losses[loss.microbatch] = loss.losses;
    }
  }
  PIPESCOPE_CHECK(losses.size() == static_cast<size_t>(training.microbatches));
  double sum = 0;
  for (const auto& [mb, loss] : losses) sum += loss.head + training.model.mtp_weight * loss.mtp;
  return sum * training.LossWeight();
}

double TakeLoss(const Training& training, const executor::Works& works) {
  executor::ThreadCrew threads;
  return *TakeLoss(training, works, threads);
}

namespace {

std::set<std::string> NamesOf(const executor::RankWork& work) {
  return dynamic_cast<const ModelRank&>(work).ParameterNames();
}

std::vector<int> PartnersElsewhere(const Training& training, const executor::RankWork& work) {
  std::set<int> all;
  for (const std::string& name : NamesOf(work)) {
    const auto& holders = training.copies.HoldersOf(name);
    for (size_t r = 0; r < holders.size(); ++r) {
      if (holders[r] > 0) all.insert(static_cast<int>(r));
    }
  }
  return {all.begin(), all.end()};
}

}  // namespace

std::vector<std::vector<int>> Partners(const Training& training, const executor::Works& works) {
  std::map<std::string, std::set<int>> holders;
  for (size_t r = 0; r < works.size(); ++r) {
    for (const std::string& name : NamesOf(*works[r])) holders[name].insert(static_cast<int>(r));
  }
  std::vector<std::vector<int>> partners;
  for (const auto& work : works) {
    std::set<int> all;
    for (const std::string& name : NamesOf(*work)) {
      all.insert(holders[name].begin(), holders[name].end());
    }
    const auto elsewhere = PartnersElsewhere(training, *work);
    if (!elsewhere.empty()) all = {elsewhere.begin(), elsewhere.end()};
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
