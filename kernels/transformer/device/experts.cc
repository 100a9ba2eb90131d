// The operations of a MoE layer, of operations.h.
#include <stdexcept>
#include <utility>

#include "kernels/transformer/device/operations.h"

namespace pipescope::transformer::device {

std::vector<int32_t> OnHost(const Tape& tape, const Experts& experts, int64_t count) {
  if (experts.chosen == nullptr) return experts.host;
  std::vector<int32_t> host(static_cast<size_t>(count));
  tape.kernels().Download(host.data(), experts.chosen->as<void>(), 4 * count);
  if (auto ok = tape.kernels().Finish(); !ok) throw std::runtime_error(ok.error().ToString());
  return host;
}

Choice Choose(Tape& tape, const Tensor& logits, const kernels::RouterConfig& config) {
  const int64_t tokens = logits->size.rows, chosen = tokens * config.selected;
  Block wide = tape.Allocate<float>(logits->size.count());
  tape.kernels().Widen(logits->bf16(), wide->as<float>(), logits->size.count());
  Block experts = tape.Allocate<int32_t>(chosen);
  Tensor weights = std::make_shared<TensorData>(
      TensorData{{tokens, config.selected}, tape.Allocate<float>(chosen), nullptr});
  tape.kernels().Route(wide->as<float>(), config, experts->as<int32_t>(),
                       weights->value->as<float>(), tokens);
  tape.kernels().RoundFloats(weights->value->as<float>(), chosen);
  tape.Record([&tape, logits, wide, experts, weights, config, tokens] {
    const Block d_wide = tape.Allocate<float>(logits->size.count());
    tape.kernels().RouteInputGradient(wide->as<float>(), experts->as<int32_t>(),
                                      weights->gradient->as<float>(), config, d_wide->as<float>(),
                                      tokens);
    Block d_logits = tape.Allocate<Bf16>(logits->size.count());
    tape.kernels().Narrow(d_wide->as<float>(), d_logits->as<Bf16>(), logits->size.count());
    tape.AddGradient(logits, std::move(d_logits));
  });
  return {{std::move(experts), {}}, std::move(weights)};
}

Routing Route(const Tape& tape, const Experts& chosen, const Tensor& weights, int64_t experts) {
  auto by = std::make_shared<Layout>();
  static_cast<kernels::Permutation&>(*by) = kernels::MakePermutation(
      OnHost(tape, chosen, weights->size.count()), weights->size.columns, experts, 1);
  std::vector<int64_t> from;
  for (const int64_t slot : by->slots) from.push_back(slot < 0 ? -1 : slot / by->selected);
  by->from = tape.Upload(from);
  by->row_of = tape.Upload(by->rows_of);
  return {std::move(by), weights};
}

Tensor Permute(Tape& tape, const Tensor& x, const Routing& routing) {
  const Extent size{routing.by->rows(), x->size.columns};
  Tensor y = tape.Make(size);
  tape.kernels().Gather(x->bf16(), routing.by->from->as<int64_t>(), y->value->as<Bf16>(), size);
  tape.Record([&tape, x, y, by = routing.by] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    tape.kernels().SumOfRows(y->gradient->as<Bf16>(), by->row_of->as<int64_t>(), nullptr,
                             static_cast<int>(by->selected), dx->as<Bf16>(), x->size);
    tape.AddGradient(x, std::move(dx));
  });
  return y;
}

namespace {

// visit(expert, its first row, its rows) of those that have any.
template <class Visit>
void ForExperts(const Layout& by, const Visit& visit) {
  for (size_t e = 0; e < by.counts.size(); ++e) {
    if (by.counts[e] > 0) visit(e, by.offsets[e], by.counts[e]);
  }
}

}  // namespace

Tensor Grouped(Tape& tape, const Tensor& rows, ExpertWeights w, const Routing& routing) {
  const int64_t in = w.front()->columns(), out = w.front()->rows();
  const auto by = routing.by;
  Tensor y = tape.Make({by->rows(), out});
  ForExperts(*by, [&](size_t e, int64_t first, int64_t count) {
    tape.kernels().Linear(rows->bf16() + first * in, w[e]->used(),
                          y->value->as<Bf16>() + first * out, {count, in, out});
  });
  tape.Record([&tape, w, rows, y, by, in, out] {
    Block dx = tape.Allocate<Bf16>(rows->size.count());
    ForExperts(*by, [&](size_t e, int64_t first, int64_t count) {
      tape.kernels().LinearInputGradient(y->gradient->as<Bf16>() + first * out, w[e]->used(),
                                         dx->as<Bf16>() + first * in, {count, in, out});
    });
    tape.AddGradient(rows, std::move(dx));
    tape.Defer([&tape, w, rows, y, by, in, out] {
      ForExperts(*by, [&](size_t e, int64_t first, int64_t count) {
        const Block dw = tape.Allocate<float>(in * out);
        tape.kernels().LinearWeightGradient(rows->bf16() + first * in,
                                            y->gradient->as<Bf16>() + first * out, dw->as<float>(),
                                            {count, in, out});
        w[e]->Add(dw->as<float>());
      });
    });
  });
  return y;
}

Tensor Unpermute(Tape& tape, const Tensor& rows, const Routing& routing) {
  const auto by = routing.by;
  const Tensor weights = routing.weights;
  Tensor y = tape.Make({weights->size.rows, rows->size.columns});
  tape.kernels().SumOfRows(rows->bf16(), by->row_of->as<int64_t>(), weights->floats(),
                           static_cast<int>(by->selected), y->value->as<Bf16>(), y->size);
  tape.Record([&tape, rows, y, by, weights] {
    Block d_rows = tape.Allocate<Bf16>(rows->size.count());
    Block d_weights = tape.Allocate<float>(weights->size.count());
    tape.kernels().Zero(d_weights->as<void>(), 4 * weights->size.count());
    tape.kernels().UnpermuteGradient(rows->bf16(), y->gradient->as<Bf16>(), weights->floats(),
                                     by->row_of->as<int64_t>(), static_cast<int>(by->selected),
                                     d_rows->as<Bf16>(), d_weights->as<float>(),
                                     {weights->size.count(), rows->size.columns});
    tape.AddGradient(rows, std::move(d_rows));
    tape.SetFloatGradient(weights, std::move(d_weights));
  });
  return y;
}

}  // namespace pipescope::transformer::device
