// The operations of a MoE layer, of operations.h.
#include "kernels/fast/gemm.h"
#include "kernels/fast/layers.h"
#include "kernels/fast/router.h"
#include "kernels/transformer/fp8_linear.h"
#include "kernels/transformer/operations.h"

namespace pipescope::transformer {
namespace {

namespace fast = kernels::fast;

// The rows of one expert.
fast::View RowsOf(const std::vector<float>& rows, int64_t columns, const kernels::Permutation& by,
                  size_t expert) {
  return {rows.data() + by.offsets[expert] * columns, by.counts[expert], columns, columns};
}

fast::View Whole(const Parameter& w) {
  return {w.used().data(), w.rows(), w.columns(), w.columns()};
}

void AddExpertGradient(Parameter& w, const fast::View& x, const fast::View& dy) {
  if (x.rows == 0) return;
  std::vector<float> dw(w.used().size());
  fast::Multiply(dy, fast::Turned::kYes, x, fast::Turned::kNo, 1, false, dw.data(), w.columns());
  w.Add(dw);
}

}  // namespace

Choice Choose(Tape& tape, const Tensor& logits, const kernels::RouterConfig& config) {
  auto routes = fast::Route(logits->value, {}, config);
  Choice choice{routes.experts, tape.Make(std::move(routes.weights), config.selected)};
  tape.Record(
      [&tape, logits, weights = choice.weights, experts = std::move(routes.experts), config] {
        tape.AddGradient(
            logits, kernels::RouteInputGradient(logits->value, experts, weights->gradient, config));
      });
  return choice;
}

Routing Route(const Tape&, std::span<const int32_t> chosen, const Tensor& weights,
              int64_t experts) {
  return {std::make_shared<kernels::Permutation>(
              kernels::MakePermutation(chosen, weights->columns, experts, 1)),
          weights};
}

Tensor Permute(Tape& tape, const Tensor& x, const Routing& routing) {
  Tensor y = tape.Make(fast::Permute(x->value, *routing.by, x->columns), x->columns);
  tape.Record([&tape, x, y, by = routing.by] {
    tape.AddGradient(x, fast::PermuteInputGradient(y->gradient, *by, x->columns));
  });
  return y;
}

namespace {

// Grouped in FP8, an expert after the other.
Tensor GroupedInFp8(Tape& tape, const Tensor& rows, ExpertWeights w, const Routing& routing) {
  const int64_t in = w.front()->columns(), out = w.front()->rows();
  const auto by = routing.by;
  const auto part = [by](const std::vector<float>& of, size_t e, int64_t columns) {
    return std::span(of).subspan(static_cast<size_t>(by->offsets[e] * columns),
                                 static_cast<size_t>(by->counts[e] * columns));
  };
  const auto each = [by](const auto& visit) {
    for (size_t e = 0; e < by->counts.size(); ++e) {
      if (by->counts[e] > 0) visit(e);
    }
  };
  std::vector<float> value(static_cast<size_t>(by->rows() * out));
  each([&](size_t e) {
    const auto of_expert = Fp8Linear(part(rows->value, e, in), w[e]->used(), in);
    std::copy(of_expert.begin(), of_expert.end(), value.begin() + by->offsets[e] * out);
  });
  Tensor y = tape.Make(std::move(value), out);
  tape.Record([&tape, w, rows, y, by, in, out, part, each] {
    std::vector<float> dx(rows->value.size());
    each([&](size_t e) {
      const auto of_expert = Fp8InputGradient(part(y->gradient, e, out), w[e]->used(), in);
      std::copy(of_expert.begin(), of_expert.end(), dx.begin() + by->offsets[e] * in);
    });
    tape.AddGradient(rows, std::move(dx));
    tape.Defer([w, rows, y, in, out, part, each] {
      each([&](size_t e) {
        w[e]->Add(Fp8WeightGradient(part(rows->value, e, in), part(y->gradient, e, out), in, out));
      });
    });
  });
  return y;
}

}  // namespace

Tensor Grouped(Tape& tape, const Tensor& rows, ExpertWeights w, const Routing& routing) {
  if (tape.fp8()) return GroupedInFp8(tape, rows, w, routing);
  const int64_t in = w.front()->columns(), out = w.front()->rows();
  const auto by = routing.by;
  std::vector<float> value(static_cast<size_t>(by->rows() * out));
  for (size_t e = 0; e < w.size(); ++e) {
    fast::Multiply(RowsOf(rows->value, in, *by, e), fast::Turned::kNo, Whole(*w[e]),
                   fast::Turned::kYes, 1, false, value.data() + by->offsets[e] * out, out);
  }
  Tensor y = tape.Make(std::move(value), out);
  tape.Record([&tape, w, rows, y, by, in, out] {
    std::vector<float> dx(rows->value.size());
    for (size_t e = 0; e < w.size(); ++e) {
      fast::Multiply(RowsOf(y->gradient, out, *by, e), fast::Turned::kNo, Whole(*w[e]),
                     fast::Turned::kNo, 1, false, dx.data() + by->offsets[e] * in, in);
    }
    tape.AddGradient(rows, std::move(dx));
    tape.Defer([w, rows, y, by, in, out] {
      for (size_t e = 0; e < w.size(); ++e) {
        AddExpertGradient(*w[e], RowsOf(rows->value, in, *by, e), RowsOf(y->gradient, out, *by, e));
      }
    });
  });
  return y;
}

Tensor Unpermute(Tape& tape, const Tensor& rows, const Routing& routing) {
  const int64_t columns = rows->columns;
  const auto by = routing.by;
  Tensor y = tape.Make(fast::Unpermute(rows->value, routing.weights->value, *by, columns), columns);
  tape.Record([&tape, rows, y, by, weights = routing.weights, columns] {
    tape.AddGradient(rows, fast::UnpermuteInputGradient(y->gradient, weights->value, *by, columns));
    tape.AddGradient(weights,
                     fast::UnpermuteWeightGradient(y->gradient, rows->value, *by, columns));
  });
  return y;
}

}  // namespace pipescope::transformer
