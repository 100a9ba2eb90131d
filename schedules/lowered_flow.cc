#include "schedules/lowered_flow.h"

#include <fmt/format.h>

#include <array>

#include "schedules/check.h"
#include "schedules/flow.h"
#include "schedules/lowered_csv.h"

namespace pipescope::schedules {
namespace {

using enum CommunicationKind;

bool IsForward(CommunicationKind kind) { return kind == kSendForward || kind == kReceiveForward; }
bool IsSend(CommunicationKind kind) { return kind == kSendForward || kind == kSendBackward; }

class Matcher {
 public:
  Matcher(const LoweredSchedule& lowered, std::vector<Finding>& findings)
      : lowered_(lowered), findings_(findings), compute_(WithoutCommunication(lowered)) {}

  LoweredFlow Match() {
    findings_ = Check(compute_);
    if (!findings_.empty()) return std::move(out_);
    flow_ = BuildFlow(compute_);
    Number();
    FillTables();
    for (size_t id = 0; id < out_.rank_of.size(); ++id) {
      const auto* c = std::get_if<Communication>(&At(static_cast<int32_t>(id)));
      if (c != nullptr && IsMessage(*c)) Enter(static_cast<int32_t>(id), *c);
    }
    FindMissing();
    if (findings_.empty()) Connect();
    out_.legal = findings_.empty();
    return std::move(out_);
  }

 private:
  const LoweredAction& At(int32_t id) const { return ActionAt(lowered_, out_, id); }

  void Number() {
    out_.offset.push_back(0);
    for (const auto& rank : lowered_.actions) {
      out_.rank_of.resize(out_.rank_of.size() + rank.size(),
                          static_cast<int32_t>(out_.offset.size()) - 1);
      out_.offset.push_back(static_cast<int32_t>(out_.rank_of.size()));
    }
    for (size_t id = 0; id < out_.rank_of.size(); ++id) {
      if (std::holds_alternative<Action>(At(static_cast<int32_t>(id)))) {
        lowered_id_.push_back(static_cast<int32_t>(id));
      }
    }
  }

  void FillTables() {
    const size_t pairs =
        static_cast<size_t>(compute_.stages) * static_cast<size_t>(compute_.microbatches);
    forward_.assign(pairs, -1);
    backward_.assign(pairs, -1);
    for (size_t id = 0; id < lowered_id_.size(); ++id) {
      const auto& action = std::get<Action>(At(lowered_id_[id]));
      const auto number = static_cast<int32_t>(id);
      if (HasForward(action)) forward_[Key(action.stage, action.microbatch)] = number;
      if (HasBackward(action)) {
        backward_[Key(BackwardStage(action), BackwardMicrobatch(action))] = number;
      }
    }
    for (auto& slots : slots_) slots.assign(lowered_id_.size(), -1);
    needed_forward_.assign(lowered_id_.size(), -1);
    needed_backward_ = needed_forward_;
    for (size_t id = 0; id < flow_.needs.size(); ++id) {
      const auto [forward, backward] = flow_.needs[id];
      const auto number = static_cast<int32_t>(id);
      if (forward >= 0) needed_forward_[static_cast<size_t>(forward)] = number;
      if (backward >= 0) needed_backward_[static_cast<size_t>(backward)] = number;
    }
  }

  size_t Key(StageId stage, MicrobatchId microbatch) const {
    return stage.index() * static_cast<size_t>(compute_.microbatches) + microbatch.index();
  }

  void Report(FindingKind kind, int32_t id, const std::string& why) {
    if (findings_.size() >= kMostFindings) return;
    const int32_t rank = out_.RankOf(id), position = out_.PositionOf(id);
    findings_.push_back(
        {kind, rank, position,
         fmt::format("{} on rank {} (action {}) {}", ToToken(At(id)), rank, position, why)});
  }

  // The compute action that a message is of: gives what is sent, or needs what is received.
  void Enter(int32_t id, const Communication& c) {
    if (c.stage.value() >= compute_.stages || c.microbatch.value() >= compute_.microbatches) {
      return Report(FindingKind::kIncomplete, id,
                    fmt::format("names what does not exist: there are only {} stages and {} "
                                "micro-batches",
                                compute_.stages, compute_.microbatches));
    }
    const auto owner =
        static_cast<size_t>((IsForward(c.kind) ? forward_ : backward_)[Key(c.stage, c.microbatch)]);
    const std::string name = ToToken(At(lowered_id_[owner]));
    const int32_t rank = flow_.RankOf(static_cast<int32_t>(owner));
    if (rank != out_.RankOf(id)) {
      return Report(FindingKind::kPlacement, id,
                    fmt::format("must be on rank {}, where {} is", rank, name));
    }
    if (Other(owner, c.kind) < 0) {
      return Report(FindingKind::kPlacement, id,
                    fmt::format("has no peer: {} {} no other rank", name,
                                IsSend(c.kind) ? "gives its result to" : "needs a result of"));
    }
    int32_t& slot = slots_[static_cast<size_t>(c.kind)][owner];
    if (slot >= 0) {
      return Report(FindingKind::kDuplicate, id,
                    fmt::format("repeats action {}", out_.PositionOf(slot)));
    }
    slot = id;
    const int32_t owner_id = lowered_id_[owner];
    if (IsSend(c.kind) ? id > owner_id : id < owner_id) return;
    Report(FindingKind::kOrder, id,
           fmt::format("comes {} {} (action {}), {}", IsSend(c.kind) ? "before" : "after", name,
                       out_.PositionOf(owner_id),
                       IsSend(c.kind) ? "whose result it sends" : "which needs what it receives"));
  }

  // The compute action at the other end, on another rank; -1 where there is none.
  int32_t Other(size_t owner, CommunicationKind kind) const {
    switch (kind) {
      case kSendForward:
        return needed_forward_[owner];
      case kSendBackward:
        return needed_backward_[owner];
      case kReceiveForward:
        return flow_.needs[owner].forward;
      default:
        return flow_.needs[owner].backward;
    }
  }

  void FindMissing() {
    for (size_t owner = 0; owner < lowered_id_.size(); ++owner) {
      const auto& action = std::get<Action>(At(lowered_id_[owner]));
      for (const auto kind : {kSendForward, kReceiveForward, kSendBackward, kReceiveBackward}) {
        if (findings_.size() >= kMostFindings) return;
        const int32_t other = Other(owner, kind);
        if (other < 0 || slots_[static_cast<size_t>(kind)][owner] >= 0) continue;
        const bool forward = IsForward(kind);
        const Communication missing{kind, forward ? action.stage : BackwardStage(action),
                                    forward ? action.microbatch : BackwardMicrobatch(action)};
        const int32_t rank = flow_.RankOf(static_cast<int32_t>(owner));
        findings_.push_back(
            {FindingKind::kIncomplete, rank, -1,
             fmt::format("{} is missing on rank {}: {} of rank {} {} it", ToToken(missing), rank,
                         ToToken(At(lowered_id_[static_cast<size_t>(other)])), flow_.RankOf(other),
                         IsSend(kind) ? "needs" : "sends")});
      }
    }
  }

  void Connect() {
    out_.partner.assign(out_.rank_of.size(), -1);
    for (size_t owner = 0; owner < lowered_id_.size(); ++owner) {
      for (const auto kind : {kReceiveForward, kReceiveBackward}) {
        const int32_t other = Other(owner, kind);
        if (other < 0) continue;
        const int32_t receive = slots_[static_cast<size_t>(kind)][owner];
        const auto send_kind = kind == kReceiveForward ? kSendForward : kSendBackward;
        const int32_t send = slots_[static_cast<size_t>(send_kind)][static_cast<size_t>(other)];
        out_.partner[static_cast<size_t>(receive)] = send;
        out_.partner[static_cast<size_t>(send)] = receive;
      }
    }
  }

  const LoweredSchedule& lowered_;
  std::vector<Finding>& findings_;
  Schedule compute_;
  Flow flow_;
  LoweredFlow out_;
  // Compute actions have the ids of flow_; here their ids in the lowered lists.
  std::vector<int32_t> lowered_id_;
  std::vector<int32_t> forward_, backward_;                // by Key: compute id
  std::vector<int32_t> needed_forward_, needed_backward_;  // [compute id]: who needs its result
  std::array<std::vector<int32_t>, 4> slots_;              // [kind][compute id]: its message
};

}  // namespace

LoweredFlow BuildLoweredFlow(const LoweredSchedule& lowered, std::vector<Finding>& findings) {
  return Matcher(lowered, findings).Match();
}

const LoweredAction& ActionAt(const LoweredSchedule& lowered, const LoweredFlow& flow, int32_t id) {
  return lowered
      .actions[static_cast<size_t>(flow.RankOf(id))][static_cast<size_t>(flow.PositionOf(id))];
}

}  // namespace pipescope::schedules
