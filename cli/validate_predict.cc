#include "cli/validate_predict.h"

#include <algorithm>
#include <array>

#include "schedules/flow.h"
#include "schedules/token.h"
#include "sim/engine/make_timeline.h"
#include "sim/engine/turns.h"

namespace pipescope::cli {
namespace {

using transformer::TimedAction;
using transformer::TimedStep;

constexpr int32_t kNone = -1;

class Builder {
 public:
  Builder(const schedules::Schedule& schedule, const transformer::RunCosts& costs,
          const Machine& machine)
      : schedule_(schedule), costs_(costs), flow_(schedules::BuildFlow(schedule)) {
    graph_.ranks = schedule.ranks;
    // Lanes of a rank that has a processor of its own share that one.
    graph_.capacity[static_cast<size_t>(Resource::kProcessors)] =
        machine.by_turns ? machine.processors : std::min(machine.processors, schedule.ranks);
    by_turns_ = machine.by_turns;
    send_ = machine.send;
    receive_ = machine.receive;
    graph_.labels = costs.labels;
    hop_ = Wait("message", machine.hop);
    meeting_ = Wait("meeting", machine.meeting);
    handover_ = Wait("hand-over", machine.handover);
    comes_ = Wait("meeting", Duration());
    graph_.labels.back().lane = timeline::Lane::kCommunication;
    comes_.rates[static_cast<size_t>(Resource::kProcessors)] = 1;
    ends_.resize(flow_.needs.size());
    exchanges_.resize(static_cast<size_t>(schedule.ranks));
  }

  TaskGraph Build() {
    for (int rank = 0; rank < schedule_.ranks; ++rank) AddActions(rank);
    for (size_t id = 0; id < ends_.size(); ++id) AddMessages(static_cast<int32_t>(id));
    AddStepEnds();
    AddExchanges();
    return std::move(graph_);
  }

  // Shows pieces as the one step that they are: from its coming to its end, as a run is measured.
  void JoinPieces(TaskTimes& times) const {
    for (const Pieces& p : pieces_) {
      const auto comes = static_cast<size_t>(p.comes), first = static_cast<size_t>(p.first),
                 last = static_cast<size_t>(p.last);
      times.start[last] = times.start[comes];
      times.released_by[last] = times.released_by[comes];
      times.start[first] = times.end[first];
    }
  }

 private:
  // The tasks of an action that take and give.
  struct Ends {
    int32_t takes_activation, gives_activation, takes_gradient, gives_gradient;
    schedules::Action action;
  };

  // Tasks of an exchange of ranks that take turns; `last` is the step's own.
  struct Pieces {
    int32_t comes, first, last;
  };

  // Time that nobody works in, shown beside the messages.
  TaskTemplate Wait(const char* name, Duration time) {
    TaskTemplate templ;
    templ.label = static_cast<int32_t>(graph_.labels.size());
    templ.demand.time = time;
    graph_.labels.push_back({name, timeline::OperationKind::kMessage, timeline::Lane::kPipeline,
                             timeline::Part::kNone});
    return templ;
  }

  void AddActions(int rank) {
    const auto& actions = schedule_.actions[static_cast<size_t>(rank)];
    const int32_t first = static_cast<int32_t>(graph_.actions.size());
    std::vector<int32_t> before;
    for (size_t i = 0; i < actions.size(); ++i) {
      const TimedAction& timed = costs_.actions[static_cast<size_t>(rank)][i];
      const int32_t base = static_cast<int32_t>(graph_.tasks.size());
      const auto task = [base](int32_t step) { return step < 0 ? kNone : base + step; };
      ends_[static_cast<size_t>(flow_.offset[static_cast<size_t>(rank)]) + i] = {
          task(timed.takes_activation), task(timed.gives_activation), task(timed.takes_gradient),
          task(timed.gives_gradient), actions[i]};
      before = AddSteps(rank, timed.steps, before, static_cast<int32_t>(graph_.actions.size()));
      graph_.actions.push_back({rank, actions[i], base, static_cast<int32_t>(timed.steps.size()),
                                Duration(), Duration()});
    }
    graph_.rank_actions.emplace_back(first, static_cast<int32_t>(graph_.actions.size()));
    before_.push_back(before);
  }

  // Returns the last step of each lane. The steps' tasks follow each other: what comes between two
  // is added after them.
  std::vector<int32_t> AddSteps(int rank, const std::vector<TimedStep>& steps,
                                const std::vector<int32_t>& before, int32_t action) {
    const int32_t base = static_cast<int32_t>(graph_.tasks.size());
    for (const TimedStep& step : steps) AddStep(rank, step, action);
    std::array<int32_t, timeline::kLanes> last;
    last.fill(kNone);
    int32_t task = base;
    for (const TimedStep& step : steps) {
      if (step.lane == timeline::Lane::kCommunication) {
        exchanges_[static_cast<size_t>(rank)].push_back(task);
      }
      int32_t& on_lane = last[static_cast<size_t>(step.lane)];
      if (on_lane >= 0) graph_.edges.emplace_back(on_lane, task);
      if (on_lane < 0) {
        for (const int32_t other : before) AddWait(other, task);
      }
      for (const int32_t other : step.after) AddWait(base + other, task);
      on_lane = task++;
    }
    std::vector<int32_t> ended;
    for (const int32_t of_lane : last) {
      if (of_lane >= 0) ended.push_back(of_lane);
    }
    return ended;
  }

  // For a step of the same rank.
  void AddWait(int32_t from, int32_t to) {
    const auto lane = [&](int32_t task) { return lanes_[static_cast<size_t>(task)]; };
    if (lane(from) != lane(to)) {
      const int32_t woken = AddTask(graph_.tasks[static_cast<size_t>(to)].rank, handover_, kNone);
      graph_.edges.emplace_back(from, woken);
      from = woken;
    }
    graph_.edges.emplace_back(from, to);
  }

  void AddStep(int rank, const TimedStep& step, int32_t action) {
    TaskTemplate templ;
    templ.label = step.label;
    // The clock's own time was taken off, as it once took: of the shortest steps a little too much.
    const double alone = std::max(0.0, step.alone + step.before);
    templ.demand.time = Seconds(alone);
    templ.rates[static_cast<size_t>(Resource::kProcessors)] =
        alone > 0 ? (step.seconds + step.before) / alone : 1;
    lanes_.resize(static_cast<size_t>(AddTask(rank, templ, action)) + 1, step.lane);
  }

  int32_t AddTask(int rank, const TaskTemplate& templ, int32_t action) {
    graph_.templates.push_back(templ);
    graph_.tasks.push_back({rank, rank, static_cast<int32_t>(graph_.templates.size()) - 1, action});
    return static_cast<int32_t>(graph_.tasks.size()) - 1;
  }

  void AddMessages(int32_t id) {
    const schedules::Needs& needs = flow_.needs[static_cast<size_t>(id)];
    const Ends& to = ends_[static_cast<size_t>(id)];
    if (needs.forward >= 0) {
      const Ends& from = ends_[static_cast<size_t>(needs.forward)];
      AddMessage(needs.forward, id, from.gives_activation, to.takes_activation,
                 {0, 0, 0, from.action.stage, from.action.microbatch, false});
    }
    if (needs.backward >= 0) {
      const Ends& from = ends_[static_cast<size_t>(needs.backward)];
      AddMessage(needs.backward, id, from.gives_gradient, to.takes_gradient,
                 {0, 0, 0, schedules::BackwardStage(from.action),
                  schedules::BackwardMicrobatch(from.action), true});
    }
  }

  void AddMessage(int32_t from_id, int32_t to_id, int32_t gives, int32_t takes,
                  timeline::Message message) {
    graph_.templates[TemplateOf(gives)].demand.time += send_;
    graph_.templates[TemplateOf(takes)].demand.time += receive_;
    message.from = flow_.RankOf(from_id);
    message.to = flow_.RankOf(to_id);
    message.operation = AddTask(message.from, hop_, kNone);
    graph_.edges.emplace_back(gives, message.operation);
    graph_.edges.emplace_back(message.operation, takes);
    graph_.messages.push_back(message);
  }

  // Each task has one of its own.
  size_t TemplateOf(int32_t task) const {
    return static_cast<size_t>(graph_.tasks[static_cast<size_t>(task)].templ);
  }

  // The first step of each rank's end hands gradients out, the second waits for its partners'.
  void AddStepEnds() {
    std::vector<int32_t> first;
    for (int rank = 0; rank < schedule_.ranks; ++rank) {
      first.push_back(static_cast<int32_t>(graph_.tasks.size()));
      AddSteps(rank, costs_.step_ends[static_cast<size_t>(rank)].steps,
               before_[static_cast<size_t>(rank)], kNone);
    }
    for (size_t rank = 0; rank < costs_.partners.size(); ++rank) {
      for (const int other : costs_.partners[rank]) {
        graph_.edges.emplace_back(first[static_cast<size_t>(other)], first[rank] + 1);
      }
    }
  }

  void AddExchanges() {
    std::vector<std::vector<int32_t>> before(graph_.tasks.size());
    for (const auto& [from, to] : graph_.edges) before[static_cast<size_t>(to)].push_back(from);
    by_turns_ ? AddPieces(before) : AddMeetings(before);
  }

  // An exchange starts on a rank when all of its group have come to it: what each of them waited
  // for is, a meeting later, what all others wait for too.
  void AddMeetings(const std::vector<std::vector<int32_t>>& before) {
    for (size_t rank = 0; rank < exchanges_.size(); ++rank) {
      for (size_t n = 0; n < exchanges_[rank].size(); ++n) {
        const int32_t met = AddTask(static_cast<int>(rank), meeting_, kNone);
        for (const int32_t from : before[static_cast<size_t>(exchanges_[rank][n])]) {
          AddEdge(from, met);
        }
        ForOthers(rank, [&](size_t other) { AddEdge(met, exchanges_[other][n]); });
      }
    }
  }

  // By turns it takes three. In the first, which takes no time, a rank comes; then it hands its
  // rows out, then those of the others come in. Each of these takes half of the step's time: where
  // in it a rank waits moves a run of such models by less than 1 %.
  void AddPieces(const std::vector<std::vector<int32_t>>& before) {
    std::vector<std::vector<Pieces>> of_rank(exchanges_.size());
    for (size_t rank = 0; rank < exchanges_.size(); ++rank) {
      for (const int32_t last : exchanges_[rank]) {
        TaskTemplate piece = graph_.templates[TemplateOf(last)];
        piece.demand.time = Duration(piece.demand.time.picoseconds() / 2);
        graph_.templates[TemplateOf(last)].demand.time -= piece.demand.time;
        piece.label = comes_.label;
        const int32_t first = AddTask(static_cast<int>(rank), piece, kNone);
        const int32_t comes = AddTask(static_cast<int>(rank), comes_, kNone);
        for (const int32_t from : before[static_cast<size_t>(last)]) AddEdge(from, comes);
        AddEdge(comes, first);
        AddEdge(first, last);
        of_rank[rank].push_back({comes, first, last});
      }
    }
    for (size_t rank = 0; rank < of_rank.size(); ++rank) {
      for (size_t n = 0; n < of_rank[rank].size(); ++n) {
        const Pieces& own = of_rank[rank][n];
        const int32_t met = AddTask(static_cast<int>(rank), meeting_, kNone);
        const int32_t came = AddTask(static_cast<int>(rank), meeting_, kNone);
        AddEdge(own.comes, met);
        AddEdge(own.first, came);
        ForOthers(rank, [&](size_t other) {
          AddEdge(met, of_rank[other][n].first);
          AddEdge(came, of_rank[other][n].last);
        });
        pieces_.push_back(own);
      }
    }
  }

  void AddEdge(int32_t from, int32_t to) { graph_.edges.emplace_back(from, to); }

  template <class Visit>
  void ForOthers(size_t rank, const Visit& visit) const {
    for (const int other : costs_.groups[rank]) {
      if (other != static_cast<int>(rank)) visit(static_cast<size_t>(other));
    }
  }

  const schedules::Schedule& schedule_;
  const transformer::RunCosts& costs_;
  schedules::Flow flow_;
  TaskGraph graph_;
  bool by_turns_;
  Duration send_, receive_;
  TaskTemplate hop_, meeting_, handover_, comes_;
  std::vector<Pieces> pieces_;
  std::vector<timeline::Lane> lanes_;            // by task, of those that are steps
  std::vector<Ends> ends_;                       // by action's number
  std::vector<std::vector<int32_t>> exchanges_;  // [rank] its tasks on the communication lane
  std::vector<std::vector<int32_t>> before_;     // [rank] the tasks that its actions end with
};

}  // namespace

timeline::Timeline PredictRun(const schedules::Schedule& schedule,
                              const transformer::RunCosts& costs, const Machine& machine) {
  Builder builder(schedule, costs, machine);
  TaskGraph graph = builder.Build();
  TaskTimes times = machine.by_turns ? RunByTurns(graph, machine.wake) : RunFluid(graph);
  builder.JoinPieces(times);
  return MakeTimeline(std::move(graph), times);
}

}  // namespace pipescope::cli
