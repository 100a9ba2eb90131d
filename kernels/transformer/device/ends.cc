// The operations at a model's ends and between its stages, of operations.h.
#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "kernels/transformer/device/operations.h"

namespace pipescope::transformer::device {
namespace {

void FinishOrThrow(Kernels& kernels) {
  if (auto ok = kernels.Finish(); !ok) throw std::runtime_error(ok.error().ToString());
}

// Positions sorted by token, and where those of each token begin.
struct ByToken {
  std::vector<int32_t> positions;
  std::vector<int64_t> begins;
};

ByToken SortByToken(const std::vector<int32_t>& tokens, int64_t vocabulary) {
  ByToken by;
  by.positions.resize(tokens.size());
  std::iota(by.positions.begin(), by.positions.end(), 0);
  const auto token = [&](int32_t position) { return tokens[static_cast<size_t>(position)]; };
  std::stable_sort(by.positions.begin(), by.positions.end(),
                   [&](int32_t a, int32_t b) { return token(a) < token(b); });
  by.begins.assign(static_cast<size_t>(vocabulary) + 1, 0);
  for (const int32_t t : tokens) ++by.begins[static_cast<size_t>(t) + 1];
  std::partial_sum(by.begins.begin(), by.begins.end(), by.begins.begin());
  return by;
}

}  // namespace

Tensor Embed(Tape& tape, Parameter& table, std::span<const int32_t> tokens) {
  const Extent size{static_cast<int64_t>(tokens.size()), table.columns()};
  const Block from = tape.Upload(std::vector<int64_t>(tokens.begin(), tokens.end()));
  Tensor y = tape.Make(size);
  tape.kernels().Gather(table.used(), from->as<int64_t>(), y->value->as<Bf16>(), size);
  tape.Record([&tape, &table, y, ids = std::vector<int32_t>(tokens.begin(), tokens.end())] {
    tape.Defer([&tape, &table, y, ids] {
      const ByToken by = SortByToken(ids, table.rows());
      const Block positions = tape.Upload(by.positions), begins = tape.Upload(by.begins);
      const Block gradient = tape.Allocate<float>(table.count());
      tape.kernels().EmbeddingGradient(y->gradient->as<Bf16>(), positions->as<int32_t>(),
                                       begins->as<int64_t>(), gradient->as<float>(),
                                       {table.rows(), table.columns()});
      table.Add(gradient->as<float>());
    });
  });
  return y;
}

Loss LossOf(Tape& tape, const Tensor& logits, std::span<const int32_t> targets, double weight) {
  const int64_t tokens = logits->size.rows;
  Block ids = tape.Upload(std::vector<int32_t>(targets.begin(), targets.end()));
  Block losses = tape.Allocate<float>(tokens);
  tape.kernels().CrossEntropy(logits->value->as<Bf16>(), ids->as<int32_t>(), nullptr, false,
                              losses->as<float>(), logits->size);
  tape.Record([&tape, logits, ids, weight, tokens] {
    const auto by = static_cast<float>(weight);
    const auto* d_losses =
        tape.Constant<float>("weights " + std::to_string(by) + " " + std::to_string(tokens),
                             [&] { return std::vector<float>(static_cast<size_t>(tokens), by); });
    const Block again = tape.Allocate<float>(tokens);
    tape.kernels().CrossEntropy(logits->value->as<Bf16>(), ids->as<int32_t>(), d_losses, true,
                                again->as<float>(), logits->size);
    tape.AddGradient(logits, logits->value);
  });
  return std::make_shared<LossData>(LossData{std::move(losses), &tape.kernels(), tokens});
}

double ValueOf(const Loss& loss) {
  if (loss == nullptr) return 0;
  std::vector<float> each(static_cast<size_t>(loss->tokens));
  loss->kernels->Download(each.data(), loss->losses->as<void>(), 4 * loss->tokens);
  FinishOrThrow(*loss->kernels);
  double sum = 0;
  for (const float one : each) sum += one;
  return sum;
}

namespace {

// A copy, on the taker's queue, which has been told to wait: the giver's block is free after it.
Block Bring(const Tape& tape, const Travelling& from, int64_t bytes) {
  Block to = tape.Allocate<std::byte>(bytes);
  tape.kernels().CopyBytes(to->as<void>(), from.block->as<void>(), bytes);
  if (!from.lasts) from.block->pool->AddGuard(from.block, tape.kernels().Record());
  return to;
}

}  // namespace

Tensor TakeIn(const Tape& tape, Travelling value, int64_t columns) {
  if (value.block == nullptr) return nullptr;  // the first stage
  const Extent size{value.rows, columns};
  return std::make_shared<TensorData>(
      TensorData{size, Bring(tape, value, 2 * size.count()), nullptr});
}

Travelling ValueOut(const Tensor& x) { return {x->value, nullptr, x->size.rows}; }

void GradientIn(const Tape& tape, const Tensor& x, Travelling gradient) {
  if (gradient.block != nullptr) x->gradient = Bring(tape, gradient, 2 * x->size.count());
}

Travelling GradientOut(const Tensor& x) {
  if (x == nullptr) return {};
  return {std::move(x->gradient), nullptr, x->size.rows};
}

}  // namespace pipescope::transformer::device
