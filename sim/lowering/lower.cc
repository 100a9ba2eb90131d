#include "sim/lowering/lower.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "sim/base/result.h"
#include "sim/lowering/action_template.h"
#include "sim/lowering/alone.h"
#include "sim/lowering/fixed_action.h"
#include "sim/lowering/ownership.h"
#include "sim/lowering/phase_costs.h"
#include "sim/lowering/places.h"
#include "sim/lowering/step_end.h"

namespace pipescope {
namespace {

using schedules::Action;
using schedules::ActionKind;

// Where the input or the result of one stage and micro-batch is found.
struct Port {
  int32_t task = -1;
  int32_t rank = -1;
};

class Lowering {
 public:
  Lowering(const Experiment& experiment, const schedules::Schedule& schedule,
           const model::Layout& layout, const costs::Spread& spread, const FixedTimes* fixed)
      : experiment_(experiment),
        schedule_(schedule),
        layout_(layout),
        fixed_(fixed),
        own_(OwnershipOf(schedule)),
        costs_(experiment, spread, graph_) {
    const size_t ports =
        static_cast<size_t>(schedule.stages) * static_cast<size_t>(schedule.microbatches);
    for (auto* table :
         {&takes_activation_, &gives_activation_, &takes_gradient_, &gives_gradient_}) {
      table->resize(ports);
    }
  }

  TaskGraph Run() {
    graph_.ranks = schedule_.ranks;
    backward_done_.resize(static_cast<size_t>(schedule_.ranks));
    rank_done_.resize(static_cast<size_t>(schedule_.ranks));
    first_forward_.resize(static_cast<size_t>(schedule_.ranks));
    for (int r = 0; r < schedule_.ranks; ++r) AddRank(r);
    Connect();
    AddStepEnd(experiment_, layout_, own_, costs_, backward_done_, rank_done_, first_forward_,
               graph_);
    return std::move(graph_);
  }

 private:
  void AddRank(int rank) {
    const size_t r = static_cast<size_t>(rank);
    const int first = static_cast<int>(graph_.actions.size());
    backward_done_[r].resize(own_.stages_of_rank[r].size());
    first_forward_[r].assign(own_.stages_of_rank[r].size(), -1);
    std::vector<int32_t>& previous = rank_done_[r];
    for (const Action& action : schedule_.actions[r]) {
      const ActionTemplate& templ = TemplateOf(action);
      const int32_t base = static_cast<int32_t>(graph_.tasks.size());
      AddOperations(rank, action, templ, base, previous);
      previous.clear();
      for (const int32_t sink : templ.sinks) previous.push_back(base + sink);
      if (templ.takes_activation >= 0) NoteForward(r, action, base + templ.takes_activation);
      NoteBackward(r, action, previous);
    }
    graph_.rank_actions.emplace_back(first, static_cast<int>(graph_.actions.size()));
  }

  void AddOperations(int rank, const Action& action, const ActionTemplate& templ, int32_t base,
                     const std::vector<int32_t>& previous) {
    const int32_t index = static_cast<int32_t>(graph_.actions.size());
    timeline::ActionSpan span;
    span.rank = rank;
    span.action = action;
    span.first = base;
    span.count = static_cast<int32_t>(templ.operations.size());
    graph_.actions.push_back(span);
    for (size_t i = 0; i < templ.operations.size(); ++i) {
      const int32_t task = base + static_cast<int32_t>(i);
      graph_.tasks.push_back({rank, rank, templ.operations[i].templ, index});
      for (const int32_t before : templ.operations[i].after) {
        graph_.edges.emplace_back(base + before, task);
      }
    }
    for (const int32_t root : templ.roots) {
      for (const int32_t before : previous) graph_.edges.emplace_back(before, base + root);
    }
    const bool pair = action.kind == ActionKind::kOverlapped;
    Note(takes_activation_, action.stage, action.microbatch, rank, base, templ.takes_activation);
    Note(gives_activation_, action.stage, action.microbatch, rank, base, templ.gives_activation);
    const StageId stage = pair ? action.backward_stage : action.stage;
    const MicrobatchId microbatch = pair ? action.backward_microbatch : action.microbatch;
    Note(takes_gradient_, stage, microbatch, rank, base, templ.takes_gradient);
    Note(gives_gradient_, stage, microbatch, rank, base, templ.gives_gradient);
  }

  size_t PortIndex(StageId stage, MicrobatchId microbatch) const {
    return stage.index() * static_cast<size_t>(schedule_.microbatches) + microbatch.index();
  }

  void Note(std::vector<Port>& table, StageId stage, MicrobatchId microbatch, int rank,
            int32_t base, int32_t operation) {
    if (operation >= 0) table[PortIndex(stage, microbatch)] = {base + operation, rank};
  }

  void NoteBackward(size_t rank, const Action& action, const std::vector<int32_t>& done) {
    const bool pair = action.kind == ActionKind::kOverlapped;
    if (action.kind == ActionKind::kForward || action.kind == ActionKind::kInputGrad) return;
    backward_done_[rank][Held(rank, pair ? action.backward_stage : action.stage)] = done;
  }

  void NoteForward(size_t rank, const Action& action, int32_t task) {
    int32_t& first = first_forward_[rank][Held(rank, action.stage)];
    if (first < 0) first = task;
  }

  // Which of the rank's stages it is.
  size_t Held(size_t rank, StageId stage) const {
    const auto& stages = own_.stages_of_rank[rank];
    return static_cast<size_t>(std::find(stages.begin(), stages.end(), stage.value()) -
                               stages.begin());
  }

  const ActionTemplate& TemplateOf(const Action& action) {
    const auto key = std::make_tuple(action.kind, action.stage, action.backward_stage);
    const auto at = templates_.find(key);
    if (at != templates_.end()) return at->second;
    if (fixed_ != nullptr) return templates_[key] = MakeFixedAction(action, *fixed_, costs_);
    const bool pair = action.kind == ActionKind::kOverlapped;
    const model::StageLayout& stage = layout_[action.stage.index()];
    const model::StageLayout& backward = pair ? layout_[action.backward_stage.index()] : stage;
    return templates_[key] = MakeActionTemplate(action.kind, stage, backward, experiment_, costs_);
  }

  // Joins producers and consumers, by a message where they are on different ranks.
  void Connect() {
    for (int m = 0; m < schedule_.microbatches; ++m) {
      const MicrobatchId microbatch(m);
      for (int s = 0; s + 1 < schedule_.stages; ++s) {
        const size_t here = PortIndex(StageId(s), microbatch);
        const size_t next = PortIndex(StageId(s + 1), microbatch);
        Join(gives_activation_[here], takes_activation_[next], StageId(s), microbatch, false);
        Join(gives_gradient_[next], takes_gradient_[here], StageId(s + 1), microbatch, true);
      }
    }
  }

  int32_t MessageTemplate(bool backward, bool same_node) {
    int32_t& known = message_templates_[backward ? 1 : 0][same_node ? 1 : 0];
    if (known >= 0) return known;
    const timeline::Label label{backward ? "gradients" : "activations",
                                timeline::OperationKind::kMessage, timeline::Lane::kPipeline,
                                timeline::Part::kNone};
    costs::Price price;
    if (fixed_ != nullptr) {
      price.demand.time = fixed_->hop;
    } else {
      price = HopPrice(costs_, experiment_, same_node);
    }
    return known = costs_.Add(label, std::move(price));
  }

  void Join(const Port& from, const Port& to, StageId stage, MicrobatchId microbatch,
            bool backward) {
    PIPESCOPE_CHECK(from.task >= 0 && to.task >= 0);
    if (from.rank == to.rank) {
      graph_.edges.emplace_back(from.task, to.task);
      return;
    }
    const int32_t task = static_cast<int32_t>(graph_.tasks.size());
    const int32_t templ = MessageTemplate(backward, SameNode(experiment_, from.rank, to.rank));
    graph_.tasks.push_back({from.rank, to.rank, templ, -1});
    graph_.edges.emplace_back(from.task, task);
    graph_.edges.emplace_back(task, to.task);
    graph_.messages.push_back({task, from.rank, to.rank, stage, microbatch, backward});
    if (!experiment_.communication.overlap_messages) HoldSender(from.task, task);
  }

  // The message leaves when all of its action is done, and the sender's next one waits for it.
  void HoldSender(int32_t producer, int32_t message) {
    const size_t action = static_cast<size_t>(graph_.tasks[static_cast<size_t>(producer)].action);
    const timeline::ActionSpan& sends = graph_.actions[action];
    for (const int32_t sink : TemplateOf(sends.action).sinks) {
      graph_.edges.emplace_back(sends.first + sink, message);
    }
    if (action + 1 >= graph_.actions.size()) return;
    const timeline::ActionSpan& after = graph_.actions[action + 1];
    if (after.rank != sends.rank) return;
    for (const int32_t root : TemplateOf(after.action).roots) {
      graph_.edges.emplace_back(message, after.first + root);
    }
  }

  const Experiment& experiment_;
  const schedules::Schedule& schedule_;
  const model::Layout& layout_;
  const FixedTimes* fixed_;  // null: actions are their operations
  Ownership own_;
  TaskGraph graph_;
  PhaseCosts costs_;
  std::map<std::tuple<ActionKind, StageId, StageId>, ActionTemplate> templates_;
  std::vector<Port> takes_activation_, gives_activation_, takes_gradient_, gives_gradient_;
  std::vector<std::vector<std::vector<int32_t>>> backward_done_;  // [rank][its i-th stage]
  std::vector<std::vector<int32_t>> rank_done_;
  std::vector<std::vector<int32_t>> first_forward_;
  int32_t message_templates_[2][2] = {{-1, -1}, {-1, -1}};  // [backward][same node]
};

}  // namespace

TaskGraph Lower(const Experiment& experiment, const schedules::Schedule& schedule,
                const model::Layout& layout, const costs::Spread& spread, const FixedTimes* fixed) {
  return Lowering(experiment, schedule, layout, spread, fixed).Run();
}

}  // namespace pipescope
