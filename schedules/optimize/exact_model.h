// The rows and columns that exact.h describes, in plain arrays.
#pragma once

#include <utility>
#include <vector>

#include "schedules/optimize/problem.h"

namespace pipescope::schedules {

struct Row {
  std::vector<std::pair<int, double>> terms;
  double least = 0;  // sum of the terms >= least
};

class ExactModel {
 public:
  // Times are divided by `unit`; only spans of at most `most` units are allowed.
  ExactModel(const Problem& problem, double unit, double most);

  int columns() const { return first_binary_ + ranks_ * 3 * pairs_; }
  int first_binary() const { return first_binary_; }
  // Bounds of the ends: a rank's first forward is fixed.
  std::pair<double, double> Bounds(int column) const;
  const std::vector<Row>& rows() const { return rows_; }

  // The orders that the values of the columns stand for.
  KindOrder OrderOf(const double* values) const;

 private:
  using Terms = std::vector<std::pair<int, double>>;

  int End(int rank, ActionKind kind, int microbatch) const;
  // Whether `early` of micro-batch l is before `late` of micro-batch k > l.
  int Before(int rank, ActionKind early, ActionKind late, int l, int k) const;
  double Cost(int rank, ActionKind kind) const;
  void AddRow(Terms terms, double least) { rows_.push_back({std::move(terms), least}); }

  void AddChains(int rank);
  void AddNeeds(int rank);
  void AddDisjunctions(int rank);
  void AddLogic(int rank);
  void AddLoads(int rank);
  void AddMemory(int rank);
  // The work before and of an action: a constant (returned) and terms.
  double Load(int rank, ActionKind kind, int microbatch, Terms& terms) const;

  const Problem& problem_;
  int ranks_, microbatches_, pairs_, first_binary_;
  double unit_, most_;
  std::vector<Row> rows_;
};

}  // namespace pipescope::schedules
