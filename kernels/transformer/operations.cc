#include "kernels/transformer/operations.h"

#include "kernels/fast/attention.h"
#include "kernels/fast/gemm.h"
#include "kernels/fast/layers.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/embedding.h"
#include "kernels/transformer/fp8_linear.h"

namespace pipescope::transformer {
namespace {

namespace fast = kernels::fast;

size_t Size(int64_t value) { return static_cast<size_t>(value); }

}  // namespace

Tensor Embed(Tape& tape, Parameter& table, std::span<const int32_t> tokens) {
  Tensor y = tape.Make(kernels::Embedding(table.used(), tokens, table.columns()), table.columns());
  tape.Record([&tape, &table, y, ids = std::vector<int32_t>(tokens.begin(), tokens.end())] {
    tape.Defer([&table, y, ids] {
      table.Add(kernels::EmbeddingWeightGradient(ids, y->gradient, table.rows(), table.columns()));
    });
  });
  return y;
}

Tensor Linear(Tape& tape, const Tensor& x, Parameter& w) {
  if (!tape.fp8()) return WideLinear(tape, x, w);
  Tensor y = tape.Make(Fp8Linear(x->value, w.used(), w.columns()), w.rows());
  tape.Record([&tape, &w, x, y] {
    tape.AddGradient(x, Fp8InputGradient(y->gradient, w.used(), w.columns()));
    tape.Defer(
        [&w, x, y] { w.Add(Fp8WeightGradient(x->value, y->gradient, w.columns(), w.rows())); });
  });
  return y;
}

Tensor WideLinear(Tape& tape, const Tensor& x, Parameter& w) {
  Tensor y = tape.Make(fast::Linear(x->value, w.used(), w.columns()), w.rows());
  tape.Record([&tape, &w, x, y] {
    tape.AddGradient(x, fast::LinearInputGradient(y->gradient, w.used(), w.columns()));
    tape.Defer([&w, x, y] {
      w.Add(fast::LinearWeightGradient(x->value, y->gradient, w.columns(), w.rows()));
    });
  });
  return y;
}

Tensor Norm(Tape& tape, const Tensor& x, Parameter& w) {
  Tensor y = tape.Make(fast::RmsNorm(x->value, w.used()), w.columns());
  tape.Record([&tape, &w, x, y] {
    tape.AddGradient(x, fast::RmsNormInputGradient(x->value, w.used(), y->gradient));
    tape.Defer(
        [&w, x, y] { w.Add(fast::RmsNormWeightGradient(x->value, y->gradient, w.columns())); });
  });
  return y;
}

Tensor Add(Tape& tape, const Tensor& a, const Tensor& b) {
  std::vector<float> sum = a->value;
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += b->value[i];
  Tensor y = tape.Make(std::move(sum), a->columns);
  tape.Record([&tape, a, b, y] {
    tape.AddGradient(a, y->gradient);
    tape.AddGradient(b, y->gradient);
  });
  return y;
}

Tensor Copy(Tape& tape, const Tensor& x) {
  Tensor y = tape.Make(x->value, x->columns);
  tape.Record([&tape, x, y] { tape.AddGradient(x, y->gradient); });
  return y;
}

Tensor SwiGlu(Tape& tape, const Tensor& x) {
  const int64_t columns = x->columns / 2;
  Tensor y = tape.Make(fast::SwiGlu(x->value, columns), columns);
  tape.Record([&tape, x, y, columns] {
    tape.AddGradient(x, fast::SwiGluInputGradient(x->value, y->gradient, columns));
  });
  return y;
}

Tensor Rope(Tape& tape, const Tensor& x, const kernels::RopeShape& shape) {
  std::vector<int64_t> positions(x->value.size() / Size(shape.heads * shape.channels));
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int64_t>(i);
  const auto frequencies = kernels::RopeFrequencies(shape.rotary);
  Tensor y = tape.Make(fast::Rope(x->value, positions, frequencies, shape), x->columns);
  tape.Record([&tape, x, y, positions, frequencies, shape] {
    tape.AddGradient(x, fast::RopeInputGradient(y->gradient, positions, frequencies, shape));
  });
  return y;
}

Tensor Attend(Tape& tape, const Tensor& q, const Tensor& k, const Tensor& v,
              const kernels::AttentionShape& shape) {
  Tensor y = tape.Make(fast::Attention(q->value, k->value, v->value, shape).out,
                       shape.heads * shape.v_channels);
  tape.Record([&tape, q, k, v, y, shape] {
    auto d = fast::AttentionInputGradient(q->value, k->value, v->value, y->gradient, shape);
    tape.AddGradient(q, std::move(d.dq));
    tape.AddGradient(k, std::move(d.dk));
    tape.AddGradient(v, std::move(d.dv));
  });
  return y;
}

Tensor Columns(Tape& tape, const Tensor& x, int64_t width, int64_t from, int64_t count) {
  const size_t rows = x->value.size() / Size(width);
  std::vector<float> taken;
  taken.reserve(rows * Size(count));
  for (size_t r = 0; r < rows; ++r) {
    const auto row = x->value.begin() + static_cast<int64_t>(r) * width + from;
    taken.insert(taken.end(), row, row + count);
  }
  Tensor y = tape.Make(std::move(taken), x->columns / width * count);
  tape.Record([&tape, x, y, rows, width, from, count] {
    std::vector<float> dx(x->value.size());
    for (size_t r = 0; r < rows; ++r) {
      std::copy_n(y->gradient.begin() + static_cast<int64_t>(r) * count, count,
                  dx.begin() + static_cast<int64_t>(r) * width + from);
    }
    tape.AddGradient(x, std::move(dx));
  });
  return y;
}

Tensor Beside(Tape& tape, const Tensor& a, int64_t a_columns, const Tensor& b, int64_t b_columns,
              int64_t heads) {
  const size_t rows = a->value.size() / Size(a_columns), width = Size(a_columns + b_columns);
  const size_t left = Size(a_columns), right = Size(b_columns);
  PIPESCOPE_CHECK(rows * right == b->value.size() * Size(heads));
  std::vector<float> joined(rows * width);
  for (size_t r = 0; r < rows; ++r) {
    std::copy_n(a->value.data() + r * left, left, joined.data() + r * width);
    std::copy_n(b->value.data() + r / Size(heads) * right, right, joined.data() + r * width + left);
  }
  Tensor y = tape.Make(std::move(joined), a->columns / a_columns * (a_columns + b_columns));
  tape.Record([&tape, a, b, y, rows, left, right, width, heads] {
    std::vector<float> da(a->value.size()), db(b->value.size());
    for (size_t r = 0; r < rows; ++r) {
      const float* from = y->gradient.data() + r * width;
      std::copy_n(from, left, da.data() + r * left);
      float* to = db.data() + r / Size(heads) * right;
      for (size_t c = 0; c < right; ++c) to[c] += from[left + c];
    }
    tape.AddGradient(a, std::move(da));
    tape.AddGradient(b, std::move(db));
  });
  return y;
}

double LossOf(Tape& tape, const Tensor& logits, std::span<const int32_t> targets, double weight) {
  const auto losses = fast::CrossEntropy(logits->value, targets, logits->columns);
  double sum = 0;
  for (const float loss : losses) sum += loss;
  tape.Record([&tape, logits, weight, ids = std::vector<int32_t>(targets.begin(), targets.end())] {
    const std::vector<float> d_losses(ids.size(), static_cast<float>(weight));
    tape.AddGradient(
        logits, fast::CrossEntropyInputGradient(logits->value, ids, d_losses, logits->columns));
  });
  return sum;
}

}  // namespace pipescope::transformer
