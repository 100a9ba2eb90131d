#include "schedules/optimize/exact.h"

#include <coin/Cbc_C_Interface.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "schedules/optimize/exact_model.h"
#include "schedules/optimize/span.h"

namespace pipescope::schedules {
namespace {

constexpr double kScaledSpan = 1000;  // the solver's tolerances are absolute

using Solver = std::unique_ptr<Cbc_Model, void (*)(Cbc_Model*)>;

void Load(const ExactModel& model, Cbc_Model* solver) {
  const auto columns = static_cast<size_t>(model.columns());
  std::vector<std::vector<std::pair<int, double>>> by_column(columns);
  std::vector<double> row_least, row_most;
  for (size_t row = 0; row < model.rows().size(); ++row) {
    for (const auto& [column, factor] : model.rows()[row].terms) {
      by_column[static_cast<size_t>(column)].emplace_back(static_cast<int>(row), factor);
    }
    row_least.push_back(model.rows()[row].least);
    row_most.push_back(std::numeric_limits<double>::max());
  }
  std::vector<CoinBigIndex> start = {0};
  std::vector<int> index;
  std::vector<double> value, least, most, objective(columns, 0);
  objective[0] = 1;
  for (size_t column = 0; column < columns; ++column) {
    for (const auto& [row, factor] : by_column[column]) {
      index.push_back(row);
      value.push_back(factor);
    }
    start.push_back(static_cast<CoinBigIndex>(index.size()));
    const auto [low, high] = model.Bounds(static_cast<int>(column));
    least.push_back(low);
    most.push_back(high);
  }
  Cbc_loadProblem(solver, model.columns(), static_cast<int>(row_least.size()), start.data(),
                  index.data(), value.data(), least.data(), most.data(), objective.data(),
                  row_least.data(), row_most.data());
  for (int c = model.first_binary(); c < model.columns(); ++c) Cbc_setInteger(solver, c);
}

// Takes the solver's order where it is sound and shorter.
void TakeSolution(const Problem& problem, const ExactModel& model, Cbc_Model* solver,
                  Optimized& best) {
  const double* const values = Cbc_getColSolution(solver);
  if (values == nullptr) return;
  KindOrder order = model.OrderOf(values);
  ++best.orders;
  const double span = SpanOf(problem)(order);
  if (!FitsMemory(problem, order) || !(span < best.span)) return;
  best.span = span;
  best.order = std::move(order);
  best.from = "mixed-integer program";
}

}  // namespace

int64_t Binaries(const Problem& problem) {
  return int64_t{3} * problem.ranks * problem.microbatches * (problem.microbatches - 1) / 2;
}

Result<Exact> SolveExactly(const Problem& problem, Optimized start, double seconds) {
  if (Binaries(problem) > kMostBinaries) {
    return Fail(
        fmt::format("--method exact: {} ranks and {} micro-batches give {} binary unknowns "
                    "(3 P M (M - 1) / 2); at most {} are supported, such as 4 ranks and 8 "
                    "micro-batches; --method search has no such limit",
                    problem.ranks, problem.microbatches, Binaries(problem), kMostBinaries));
  }
  Exact exact{std::move(start), LowerBound(problem), false};
  const double sought = exact.best.span * (1 - kExactGap);
  if (exact.lower_bound >= sought) return Exact{exact.best, exact.best.span, true};
  const double unit = exact.best.span / kScaledSpan;
  const ExactModel model(problem, unit, kScaledSpan * (1 - kExactGap));
  const Solver solver(Cbc_newModel(), Cbc_deleteModel);
  Cbc_setParameter(solver.get(), "log", "0");
  Cbc_setParameter(solver.get(), "timeMode", "elapsed");
  Cbc_setParameter(solver.get(), "seconds", fmt::format("{}", seconds).c_str());
  Load(model, solver.get());
  Cbc_solve(solver.get());
  if (Cbc_isProvenInfeasible(solver.get()) != 0) {
    return Exact{exact.best, exact.best.span, true};
  }
  if (Cbc_numberSavedSolutions(solver.get()) > 0 || Cbc_isProvenOptimal(solver.get()) != 0) {
    TakeSolution(problem, model, solver.get(), exact.best);
  }
  const double bound = std::min(Cbc_getBestPossibleObjValue(solver.get()) * unit, sought);
  exact.lower_bound = std::max(exact.lower_bound, std::min(bound, exact.best.span));
  exact.proven = Cbc_isProvenOptimal(solver.get()) != 0 &&
                 exact.best.span <= exact.lower_bound * (1 + 10 * kExactGap);
  if (exact.proven) exact.lower_bound = exact.best.span;
  return exact;
}

}  // namespace pipescope::schedules
