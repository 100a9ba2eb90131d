#include "kernels/transformer/row_operations.h"

namespace pipescope::transformer {
namespace {

std::vector<float> GradientOf(const Tensor& x) {
  return x->gradient.empty() ? std::vector<float>(x->value.size()) : x->gradient;
}

}  // namespace

std::vector<ArrivedTensors> SendRows(Tape& tape, ExpertRows& carried, const Tensor& x,
                                     const Choice& choice) {
  std::vector<ArrivedTensors> all;
  for (Arrived& arrived : carried.Dispatch(x->value, choice.experts, choice.weights->value)) {
    all.push_back({arrived.group, tape.Make(std::move(arrived.rows), x->columns),
                   tape.Make(std::move(arrived.weights), choice.weights->columns),
                   std::move(arrived.experts)});
  }
  tape.Record([&tape, &carried, x, to = choice.weights, all] {
    RowLists rows, weights;
    for (const ArrivedTensors& arrived : all) {
      rows.push_back(GradientOf(arrived.rows));
      weights.push_back(GradientOf(arrived.weights));
    }
    Combined sums = carried.Combine(rows, weights);
    tape.AddGradient(x, std::move(sums.values));
    tape.AddGradient(to, std::move(sums.weights));
  });
  return all;
}

Tensor CollectRows(Tape& tape, ExpertRows& carried, const std::vector<Tensor>& results) {
  RowLists rows;
  for (const Tensor& result : results) rows.push_back(result->value);
  const int64_t columns = results.front()->columns;
  Tensor y = tape.Make(carried.Combine(rows, {}).values, columns);
  tape.Record([&tape, &carried, y, results] {
    auto gradients = carried.DispatchAgain(y->gradient);
    for (size_t i = 0; i < gradients.size(); ++i) {
      tape.AddGradient(results[i], std::move(gradients[i]));
    }
  });
  return y;
}

}  // namespace pipescope::transformer
