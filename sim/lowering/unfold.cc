#include "sim/lowering/unfold.h"

#include "sim/base/result.h"

namespace pipescope {
namespace {

using timeline::Lane;

const timeline::Label& LabelOf(const TaskGraph& graph, const Task& task) {
  const TaskTemplate& templ = graph.templates[static_cast<size_t>(task.templ)];
  return graph.labels[static_cast<size_t>(templ.label)];
}

void CopyTasks(const TaskGraph& folded, const ReplicaNumbers& numbers, int gpus, TaskGraph& out) {
  out.tasks.resize(folded.tasks.size() * static_cast<size_t>(gpus));
  for (size_t t = 0; t < folded.tasks.size(); ++t) {
    for (int i = 0; i < gpus; ++i) {
      Task task = folded.tasks[t];
      task.rank = task.rank * gpus + i;
      task.peer = task.peer * gpus + i;
      if (task.action >= 0) task.action = numbers.OfAction(task.action, i);
      out.tasks[static_cast<size_t>(numbers.Of(static_cast<int32_t>(t), i))] = task;
    }
  }
}

void CopyEdges(const TaskGraph& folded, const ReplicaNumbers& numbers, int gpus, TaskGraph& out) {
  for (const auto& [before, after] : folded.edges) {
    const Task& task = folded.tasks[static_cast<size_t>(after)];
    const bool joins = JoinsReplicas(LabelOf(folded, task));
    for (int i = 0; i < gpus; ++i) {
      for (int j = joins ? 0 : i; j < (joins ? gpus : i + 1); ++j) {
        out.edges.emplace_back(numbers.Of(before, j), numbers.Of(after, i));
      }
    }
  }
}

void CopyActions(const TaskGraph& folded, const ReplicaNumbers& numbers, int gpus, TaskGraph& out) {
  for (const auto& [first, last] : folded.rank_actions) {
    for (int i = 0; i < gpus; ++i) {
      const int begin = static_cast<int>(out.actions.size());
      for (int a = first; a < last; ++a) {
        timeline::ActionSpan span = folded.actions[static_cast<size_t>(a)];
        span.rank = span.rank * gpus + i;
        span.first = numbers.Of(span.first, i);
        out.actions.push_back(span);
      }
      out.rank_actions.emplace_back(begin, static_cast<int>(out.actions.size()));
    }
  }
}

void CopyMessages(const TaskGraph& folded, const ReplicaNumbers& numbers, int gpus,
                  TaskGraph& out) {
  for (const timeline::Message& message : folded.messages) {
    for (int i = 0; i < gpus; ++i) {
      timeline::Message copy = message;
      copy.operation = numbers.Of(message.operation, i);
      copy.from = message.from * gpus + i;
      copy.to = message.to * gpus + i;
      out.messages.push_back(copy);
    }
  }
}

}  // namespace

bool JoinsReplicas(const timeline::Label& label) {
  return label.lane == Lane::kCommunication || label.lane == Lane::kGradient;
}

ReplicaNumbers::ReplicaNumbers(const TaskGraph& folded, int gpus_per_rank)
    : folded_(folded),
      gpus_(gpus_per_rank),
      base_(folded.tasks.size(), -1),
      stride_(folded.tasks.size(), 1) {
  int32_t next = 0;
  for (const auto& [first, last] : folded.rank_actions) {
    const int32_t begin = next;
    for (int a = first; a < last; ++a) {
      const timeline::ActionSpan& span = folded.actions[static_cast<size_t>(a)];
      for (int32_t i = 0; i < span.count; ++i) base_[static_cast<size_t>(span.first + i)] = next++;
    }
    const int32_t count = next - begin;
    for (int a = first; a < last; ++a) {
      const timeline::ActionSpan& span = folded.actions[static_cast<size_t>(a)];
      for (int32_t i = 0; i < span.count; ++i) stride_[static_cast<size_t>(span.first + i)] = count;
    }
    next = begin + count * gpus_;
  }
  for (int32_t& base : base_) {
    if (base >= 0) continue;
    base = next;
    next += gpus_;
  }
  PIPESCOPE_CHECK(static_cast<size_t>(next) == base_.size() * static_cast<size_t>(gpus_));
}

int32_t ReplicaNumbers::OfAction(int32_t action, int gpu) const {
  const int rank = folded_.actions[static_cast<size_t>(action)].rank;
  const auto [first, last] = folded_.rank_actions[static_cast<size_t>(rank)];
  return first * gpus_ + gpu * (last - first) + (action - first);
}

TaskGraph Unfold(const TaskGraph& folded, int gpus_per_rank) {
  PIPESCOPE_CHECK(gpus_per_rank >= 1);
  const ReplicaNumbers numbers(folded, gpus_per_rank);
  TaskGraph out;
  out.ranks = folded.ranks * gpus_per_rank;
  out.capacity = folded.capacity;
  out.labels = folded.labels;
  out.templates = folded.templates;
  CopyTasks(folded, numbers, gpus_per_rank, out);
  CopyEdges(folded, numbers, gpus_per_rank, out);
  CopyActions(folded, numbers, gpus_per_rank, out);
  CopyMessages(folded, numbers, gpus_per_rank, out);
  return out;
}

}  // namespace pipescope
