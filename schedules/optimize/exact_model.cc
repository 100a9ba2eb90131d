#include "schedules/optimize/exact_model.h"

#include <algorithm>

namespace pipescope::schedules {
namespace {

constexpr auto kF = ActionKind::kForward;
constexpr auto kI = ActionKind::kInputGrad;
constexpr auto kW = ActionKind::kWeightGrad;
constexpr ActionKind kKinds[] = {kF, kI, kW};
constexpr std::pair<ActionKind, ActionKind> kOpenPairs[] = {{kI, kF}, {kW, kF}, {kW, kI}};
constexpr int kSpan = 0;  // the column of T

}  // namespace

ExactModel::ExactModel(const Problem& problem, double unit, double most)
    : problem_(problem),
      ranks_(problem.ranks),
      microbatches_(problem.microbatches),
      pairs_(microbatches_ * (microbatches_ - 1) / 2),
      first_binary_(1 + ranks_ * 3 * microbatches_),
      unit_(unit),
      most_(most) {
  for (int rank = 0; rank < ranks_; ++rank) {
    AddChains(rank);
    AddNeeds(rank);
    AddDisjunctions(rank);
    AddLogic(rank);
    AddLoads(rank);
    AddMemory(rank);
  }
}

int ExactModel::End(int rank, ActionKind kind, int microbatch) const {
  return 1 + (rank * 3 + static_cast<int>(kind)) * microbatches_ + microbatch;
}

int ExactModel::Before(int rank, ActionKind early, ActionKind late, int l, int k) const {
  const int pair = early == kI ? 0 : late == kF ? 1 : 2;
  return first_binary_ + (rank * 3 + pair) * pairs_ + k * (k - 1) / 2 + l;
}

double ExactModel::Cost(int rank, ActionKind kind) const {
  const Costs& costs = problem_.costs;
  if (kind == kF) return costs.Forward(rank) / unit_;
  return (kind == kI ? costs.InputGrad(rank) : costs.WeightGrad(rank)) / unit_;
}

std::pair<double, double> ExactModel::Bounds(int column) const {
  if (column >= first_binary_) return {0, 1};
  for (int rank = 0; rank < ranks_; ++rank) {
    if (column == End(rank, kF, 0)) return {Cost(rank, kF), Cost(rank, kF)};
  }
  return {0, most_};
}

void ExactModel::AddChains(int rank) {
  for (const ActionKind kind : kKinds) {
    for (int k = 1; k < microbatches_; ++k) {
      AddRow({{End(rank, kind, k), 1}, {End(rank, kind, k - 1), -1}}, Cost(rank, kind));
    }
  }
  AddRow({{kSpan, 1}, {End(rank, kW, microbatches_ - 1), -1}}, 0);
}

void ExactModel::AddNeeds(int rank) {
  const double trip = Cost(rank, kF) + 2 * problem_.costs.comm / unit_;
  for (int k = 0; k < microbatches_; ++k) {
    AddRow({{End(rank, kI, k), 1}, {End(rank, kF, k), -1}}, Cost(rank, kI));
    AddRow({{End(rank, kW, k), 1}, {End(rank, kI, k), -1}}, Cost(rank, kW));
    if (rank > 0) {
      AddRow({{End(rank, kF, k), 1}, {End(rank - 1, kF, k), -1}},
             Cost(rank, kF) - Cost(rank - 1, kF));
    }
    if (rank + 1 < ranks_) {
      AddRow({{End(rank, kI, k), 1}, {End(rank + 1, kI, k), -1}}, trip + Cost(rank, kI));
    }
  }
}

void ExactModel::AddDisjunctions(int rank) {
  for (const auto& [early, late] : kOpenPairs) {
    for (int k = 1; k < microbatches_; ++k) {
      for (int l = 0; l < k; ++l) {
        const int before = Before(rank, early, late, l, k);
        const int first = End(rank, early, l), second = End(rank, late, k);
        AddRow({{second, 1}, {first, -1}, {before, -most_}}, Cost(rank, late) - most_);
        AddRow({{first, 1}, {second, -1}, {before, most_}}, Cost(rank, early));
      }
    }
  }
}

// What follows for one pair from others.
void ExactModel::AddLogic(int rank) {
  for (int k = 1; k < microbatches_; ++k) {
    for (int l = 0; l < k; ++l) {
      for (const auto& [early, late] : kOpenPairs) {
        const int before = Before(rank, early, late, l, k);
        if (k + 1 < microbatches_) {
          AddRow({{Before(rank, early, late, l, k + 1), 1}, {before, -1}}, 0);
        }
        if (l > 0) AddRow({{Before(rank, early, late, l - 1, k), 1}, {before, -1}}, 0);
      }
      const int weight = Before(rank, kW, kF, l, k);
      AddRow({{Before(rank, kI, kF, l, k), 1}, {weight, -1}}, 0);
      AddRow({{Before(rank, kW, kI, l, k), 1}, {weight, -1}}, 0);
      for (int j = l + 1; j < k; ++j) {  // W(l), I(j) and F(k) in one line
        const int first = Before(rank, kW, kI, l, j), second = Before(rank, kI, kF, j, k);
        AddRow({{weight, 1}, {first, -1}, {second, -1}}, -1);
        AddRow({{first, 1}, {second, 1}, {weight, -1}}, 0);
      }
    }
  }
}

double ExactModel::Load(int rank, ActionKind kind, int microbatch, Terms& terms) const {
  double constant = (microbatch + 1) * Cost(rank, kind);
  for (const auto& [early, late] : kOpenPairs) {
    if (kind == late) {
      for (int l = 0; l < microbatch; ++l) {
        terms.emplace_back(Before(rank, early, late, l, microbatch), Cost(rank, early));
      }
    }
    if (kind == early) {
      constant += microbatches_ * Cost(rank, late);
      for (int k = microbatch + 1; k < microbatches_; ++k) {
        terms.emplace_back(Before(rank, early, late, microbatch, k), -Cost(rank, late));
      }
    }
  }
  return constant;
}

void ExactModel::AddLoads(int rank) {
  const double total = microbatches_ * (Cost(rank, kF) + Cost(rank, kI) + Cost(rank, kW));
  for (const ActionKind kind : kKinds) {
    for (int k = 0; k < microbatches_; ++k) {
      Terms after;
      const double constant = Load(rank, kind, k, after);
      Terms before = after;
      for (auto& [column, factor] : before) factor = -factor;
      before.emplace_back(End(rank, kind, k), 1);
      AddRow(std::move(before), constant);
      after.emplace_back(End(rank, kind, k), -1);
      after.emplace_back(kSpan, 1);
      AddRow(std::move(after), total - constant);
    }
  }
}

void ExactModel::AddMemory(int rank) {
  const auto r = static_cast<size_t>(rank);
  const MemoryDeltas& memory = problem_.memory[r];
  for (int k = 1; k < microbatches_; ++k) {
    Terms freed;
    for (int l = 0; l < k; ++l) {
      freed.emplace_back(Before(rank, kI, kF, l, k), -memory.input_grad / memory.forward);
      freed.emplace_back(Before(rank, kW, kF, l, k), -memory.weight_grad / memory.forward);
    }
    AddRow(std::move(freed), k + 1 - LimitOf(problem_, r) / memory.forward);
  }
}

KindOrder ExactModel::OrderOf(const double* values) const {
  KindOrder order(static_cast<size_t>(ranks_));
  for (int rank = 0; rank < ranks_; ++rank) {
    // An action's place is the number of those before it: the load where each costs 1.
    std::vector<std::pair<double, ActionKind>> places;
    for (const ActionKind kind : kKinds) {
      for (int k = 0; k < microbatches_; ++k) {
        double place = k + 1;
        for (const auto& [early, late] : kOpenPairs) {
          for (int l = 0; kind == late && l < k; ++l) {
            place += values[Before(rank, early, late, l, k)];
          }
          if (kind == early) place += microbatches_;
          for (int j = k + 1; kind == early && j < microbatches_; ++j) {
            place -= values[Before(rank, early, late, k, j)];
          }
        }
        places.emplace_back(place, kind);
      }
    }
    std::sort(places.begin(), places.end());
    for (const auto& [place, kind] : places) order[static_cast<size_t>(rank)].push_back(kind);
  }
  return order;
}

}  // namespace pipescope::schedules
