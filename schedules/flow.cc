#include "schedules/flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "schedules/limits.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

class Builder {
 public:
  Builder(const Schedule& schedule, std::vector<Finding>* findings)
      : schedule_(schedule), findings_(findings) {}

  Flow Build() {
    if (!Number() || !MakeTables()) return std::move(flow_);
    ForEach([this](int32_t rank, int32_t id, const Action& a) { Enter(rank, id, a); });
    if (legal_) FindMissing();
    if (!legal_) return std::move(flow_);
    flow_.needs.resize(flow_.rank_of.size());
    ForEach([this](int32_t rank, int32_t id, const Action& a) { Connect(rank, id, a); });
    flow_.legal = legal_;
    if (legal_) MakeRuns();
    return std::move(flow_);
  }

 private:
  bool Number() {
    flow_.offset.push_back(0);
    int64_t total = 0;
    for (const auto& rank : schedule_.actions) {
      total += static_cast<int64_t>(rank.size());
      if (total > kMaxActions) {
        Report(FindingKind::kIncomplete, -1, -1, [] {
          return fmt::format("more than the {} actions that are supported", kMaxActions);
        });
        return false;
      }
      const auto number = static_cast<int32_t>(flow_.offset.size()) - 1;
      flow_.offset.push_back(static_cast<int32_t>(total));
      flow_.rank_of.resize(static_cast<size_t>(total), number);
    }
    return true;
  }

  template <class Visit>
  void ForEach(Visit visit) {
    for (size_t rank = 0; rank < schedule_.actions.size(); ++rank) {
      int32_t id = flow_.offset[rank];
      for (const Action& action : schedule_.actions[rank]) {
        visit(static_cast<int32_t>(rank), id++, action);
      }
    }
  }

  template <class Message>
  void Report(FindingKind kind, int32_t rank, int32_t id, Message message) {
    legal_ = false;
    if (findings_ == nullptr || findings_->size() >= kMostFindings) return;
    const int32_t position = id < 0 ? -1 : id - flow_.offset[static_cast<size_t>(rank)];
    findings_->push_back({kind, rank, position, message()});
  }

  size_t At(StageId stage, MicrobatchId microbatch) const {
    return stage.index() * static_cast<size_t>(schedule_.microbatches) + microbatch.index();
  }

  // Every stage and micro-batch needs a forward of its own, so a table larger than the order has
  // actions means that some are missing; it is never allocated.
  bool MakeTables() {
    const auto total = static_cast<int64_t>(flow_.rank_of.size());
    const int64_t pairs = int64_t{schedule_.stages} * schedule_.microbatches;
    if (schedule_.stages < 1 || schedule_.microbatches < 1 || pairs > total) {
      Report(FindingKind::kIncomplete, -1, -1, [&] {
        return fmt::format(
            "{} stages x {} micro-batches need {} forwards, but there are only {} actions{}",
            schedule_.stages, schedule_.microbatches, pairs, total, FirstMissing());
      });
      return false;
    }
    forward_.assign(static_cast<size_t>(pairs), -1);
    backward_ = forward_;
    weight_ = forward_;
    return true;
  }

  std::string FirstMissing() {
    std::vector<std::pair<int32_t, int32_t>> seen;
    ForEach([&](int32_t, int32_t, const Action& a) {
      if (HasForward(a)) seen.emplace_back(a.stage.value(), a.microbatch.value());
    });
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    std::pair<int32_t, int32_t> next = {0, 0};
    for (const auto& pair : seen) {
      if (pair != next) break;
      if (++next.second == schedule_.microbatches) next = {next.first + 1, 0};
    }
    return next.first < schedule_.stages
               ? fmt::format("; the first one missing is {}F{}", next.first, next.second)
               : "";
  }

  bool Exists(StageId stage, MicrobatchId microbatch) const {
    return stage.value() >= 0 && stage.value() < schedule_.stages && microbatch.value() >= 0 &&
           microbatch.value() < schedule_.microbatches;
  }

  void Enter(int32_t rank, int32_t id, const Action& action) {
    if (!Exists(action.stage, action.microbatch) ||
        !Exists(BackwardStage(action), BackwardMicrobatch(action))) {
      Report(FindingKind::kIncomplete, rank, id, [&] {
        return fmt::format("{} on rank {}: there are only {} stages and {} micro-batches",
                           ToToken(action), rank, schedule_.stages, schedule_.microbatches);
      });
      return;
    }
    if (HasForward(action)) {
      Claim(forward_[At(action.stage, action.microbatch)], rank, id, action, "forward");
    }
    if (HasBackward(action)) {
      Claim(backward_[At(BackwardStage(action), BackwardMicrobatch(action))], rank, id, action,
            "backward");
    }
    if (action.kind == ActionKind::kWeightGrad) {
      Claim(weight_[At(action.stage, action.microbatch)], rank, id, action, "weight gradient");
    }
  }

  void Claim(int32_t& owner, int32_t rank, int32_t id, const Action& action, const char* what) {
    if (owner < 0) {
      owner = id;
      return;
    }
    Report(FindingKind::kDuplicate, rank, id, [&] {
      const int32_t other = flow_.RankOf(owner);
      return fmt::format("{} on rank {} repeats the {} that {} on rank {} already does",
                         ToToken(action), rank, what, ToToken(ActionOf(owner)), other);
    });
  }

  const Action& ActionOf(int32_t id) const {
    const size_t rank = static_cast<size_t>(flow_.RankOf(id));
    return schedule_.actions[rank][static_cast<size_t>(id - flow_.offset[rank])];
  }

  void FindMissing() {
    for (int32_t s = 0; s < schedule_.stages; ++s) {
      for (int32_t m = 0; m < schedule_.microbatches; ++m) {
        const size_t at = At(StageId(s), MicrobatchId(m));
        if (forward_[at] < 0) Missing([&] { return fmt::format("{}F{} is missing", s, m); });
        if (backward_[at] < 0) {
          Missing([&] {
            return fmt::format(
                "the backward of stage {}, micro-batch {} is missing: neither "
                "{}I{} nor {}B{}{}",
                s, m, s, m, s, m, weight_[at] < 0 ? "" : ", though its W is there");
          });
        } else {
          MatchWeight(s, m, backward_[at], weight_[at]);
        }
      }
    }
  }

  template <class Message>
  void Missing(Message message) {
    Report(FindingKind::kIncomplete, -1, -1, message);
  }

  void MatchWeight(int32_t s, int32_t m, int32_t backward, int32_t weight) {
    const bool split = ActionOf(backward).kind == ActionKind::kInputGrad;
    if (split && weight < 0) {
      Missing([&] { return fmt::format("{}W{} is missing: {}I{} leaves it to do", s, m, s, m); });
    } else if (!split && weight >= 0) {
      Report(FindingKind::kDuplicate, flow_.RankOf(weight), weight, [&] {
        return fmt::format("{}W{} repeats the weight gradient that {} already gives", s, m,
                           ToToken(ActionOf(backward)));
      });
    }
  }

  void Connect(int32_t rank, int32_t id, const Action& action) {
    Needs& needs = flow_.needs[static_cast<size_t>(id)];
    if (HasForward(action) && action.stage.value() > 0) {
      const size_t at = At(StageId(action.stage.value() - 1), action.microbatch);
      needs.forward = Need(rank, id, forward_[at], action);
    }
    if (HasBackward(action)) {
      const StageId stage = BackwardStage(action);
      const MicrobatchId microbatch = BackwardMicrobatch(action);
      NeedHere(rank, id, forward_[At(stage, microbatch)], action);
      if (stage.value() + 1 < schedule_.stages) {
        const size_t at = At(StageId(stage.value() + 1), microbatch);
        needs.backward = Need(rank, id, backward_[at], action);
      }
    }
    if (action.kind == ActionKind::kWeightGrad) {
      NeedHere(rank, id, backward_[At(action.stage, action.microbatch)], action);
    }
  }

  // The need, where it is another rank's.
  int32_t Need(int32_t rank, int32_t id, int32_t needed, const Action& action) {
    const size_t r = static_cast<size_t>(rank);
    if (needed < flow_.offset[r] || needed >= flow_.offset[r + 1]) return needed;
    if (needed >= id) {
      Report(FindingKind::kOrder, rank, id, [&] {
        const std::string need = ToToken(ActionOf(needed));
        return needed == id ? fmt::format("{} on rank {} needs its own result", need, rank)
                            : fmt::format("{} on rank {} comes before {}, which it needs",
                                          ToToken(action), rank, need);
      });
    }
    return -1;
  }

  void NeedHere(int32_t rank, int32_t id, int32_t needed, const Action& action) {
    if (Need(rank, id, needed, action) < 0) return;
    Report(FindingKind::kPlacement, rank, id, [&] {
      return fmt::format("{} is on rank {}, but {}, whose result it needs there, is on rank {}",
                         ToToken(action), rank, ToToken(ActionOf(needed)), flow_.RankOf(needed));
    });
  }

  // Runs every rank until it waits, and again when what it waits for is done.
  void MakeRuns() {
    const size_t ranks = schedule_.actions.size();
    std::vector<int32_t> next(flow_.offset.begin(), flow_.offset.end() - 1);
    std::vector<int32_t> first_waiter(flow_.needs.size(), -1), next_waiter(ranks, -1);
    std::deque<int32_t> ready;
    for (size_t r = 0; r < ranks; ++r) ready.push_back(static_cast<int32_t>(r));
    const auto done = [&](int32_t id) {
      return id < 0 || id < next[static_cast<size_t>(flow_.RankOf(id))];
    };
    while (!ready.empty()) {
      const int32_t rank = ready.front();
      ready.pop_front();
      int32_t& id = next[static_cast<size_t>(rank)];
      const int32_t begin = id, end = flow_.offset[static_cast<size_t>(rank) + 1];
      for (; id < end; ++id) {
        const Needs& needs = flow_.needs[static_cast<size_t>(id)];
        const int32_t open = !done(needs.forward)    ? needs.forward
                             : !done(needs.backward) ? needs.backward
                                                     : -1;
        if (open >= 0) {
          next_waiter[static_cast<size_t>(rank)] = first_waiter[static_cast<size_t>(open)];
          first_waiter[static_cast<size_t>(open)] = rank;
          break;
        }
        for (int32_t w = first_waiter[static_cast<size_t>(id)]; w >= 0;
             w = next_waiter[static_cast<size_t>(w)]) {
          ready.push_back(w);
        }
      }
      if (id > begin) flow_.runs.push_back({rank, begin, id});
    }
    flow_.complete = std::equal(next.begin(), next.end(), flow_.offset.begin() + 1);
    flow_.stopped = std::move(next);
  }

  const Schedule& schedule_;
  std::vector<Finding>* findings_;
  Flow flow_;
  bool legal_ = true;
  // Ids by stage and micro-batch, -1 where there is none yet.
  std::vector<int32_t> forward_, backward_, weight_;
};

}  // namespace

Flow BuildFlow(const Schedule& schedule, std::vector<Finding>* findings) {
  return Builder(schedule, findings).Build();
}

}  // namespace pipescope::schedules
