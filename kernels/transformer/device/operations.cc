#include "kernels/transformer/device/operations.h"

#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

namespace pipescope::transformer::device {

Tensor WideLinear(Tape& tape, const Tensor& x, Parameter& w) {
  const LinearSize size{x->size.rows, w.columns(), w.rows()};
  Tensor y = tape.Make({size.rows, size.out});
  tape.kernels().Linear(x->bf16(), w.used(), y->value->as<Bf16>(), size);
  tape.Record([&tape, &w, x, y, size] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    tape.kernels().LinearInputGradient(y->gradient->as<Bf16>(), w.used(), dx->as<Bf16>(), size);
    tape.AddGradient(x, std::move(dx));
    tape.Defer([&tape, &w, x, y, size] {
      const Block dw = tape.Allocate<float>(w.count());
      tape.kernels().LinearWeightGradient(x->bf16(), y->gradient->as<Bf16>(), dw->as<float>(),
                                          size);
      w.Add(dw->as<float>());
    });
  });
  return y;
}

Tensor Norm(Tape& tape, const Tensor& x, Parameter& w) {
  Tensor y = tape.Make(x->size);
  tape.kernels().RmsNorm(x->bf16(), w.wide(), y->value->as<Bf16>(), x->size);
  tape.Record([&tape, &w, x, y] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    Block inverse = tape.Allocate<float>(x->size.rows);
    tape.kernels().RmsNormInputGradient(x->bf16(), w.wide(), y->gradient->as<Bf16>(),
                                        dx->as<Bf16>(), inverse->as<float>(), x->size);
    tape.AddGradient(x, std::move(dx));
    tape.Defer([&tape, &w, x, y, inverse = std::move(inverse)] {
      const Block partial = tape.Allocate<float>(tape.kernels().PartialCount(x->size));
      const Block dw = tape.Allocate<float>(w.count());
      tape.kernels().RmsNormWeightGradient(x->bf16(), y->gradient->as<Bf16>(), inverse->as<float>(),
                                           partial->as<float>(), dw->as<float>(), x->size);
      w.Add(dw->as<float>());
    });
  });
  return y;
}

Tensor Add(Tape& tape, const Tensor& a, const Tensor& b) {
  Tensor y = tape.Make(a->size);
  tape.kernels().Add(a->bf16(), b->bf16(), y->value->as<Bf16>(), a->size);
  tape.Record([&tape, a, b, y] {
    tape.AddGradient(a, y->gradient);
    tape.AddGradient(b, y->gradient);
  });
  return y;
}

// Values are never written again, so both may have the same block.
Tensor Copy(Tape& tape, const Tensor& x) {
  auto y = std::make_shared<TensorData>(TensorData{x->size, x->value, nullptr});
  tape.Record([&tape, x, y] { tape.AddGradient(x, y->gradient); });
  return y;
}

Tensor SwiGlu(Tape& tape, const Tensor& x) {
  const Extent size{x->size.rows, x->size.columns / 2};
  Tensor y = tape.Make(size);
  tape.kernels().SwiGlu(x->bf16(), y->value->as<Bf16>(), size);
  tape.Record([&tape, x, y, size] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    tape.kernels().SwiGluInputGradient(x->bf16(), y->gradient->as<Bf16>(), dx->as<Bf16>(), size);
    tape.AddGradient(x, std::move(dx));
  });
  return y;
}

namespace {

std::vector<kernels::device::Turn> Turns(int64_t tokens, int64_t rotary) {
  std::vector<kernels::device::Turn> turns;
  const auto frequencies = kernels::RopeFrequencies(rotary);
  for (int64_t token = 0; token < tokens; ++token) {
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(token) * frequency;
      turns.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
  }
  return turns;
}

}  // namespace

Tensor Rope(Tape& tape, const Tensor& x, const kernels::RopeShape& shape) {
  const int64_t tokens = x->size.count() / (shape.heads * shape.channels);
  const auto* table = tape.Constant<kernels::device::Turn>(
      "turns " + std::to_string(tokens) + " " + std::to_string(shape.rotary),
      [&] { return Turns(tokens, shape.rotary); });
  Tensor y = tape.Make(x->size);
  tape.kernels().Rope(x->bf16(), y->value->as<Bf16>(), table, 1, tokens, shape);
  tape.Record([&tape, x, y, table, tokens, shape] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    tape.kernels().Rope(y->gradient->as<Bf16>(), dx->as<Bf16>(), table, -1, tokens, shape);
    tape.AddGradient(x, std::move(dx));
  });
  return y;
}

Tensor Attend(Tape& tape, const Tensor& q, const Tensor& k, const Tensor& v,
              const kernels::AttentionShape& shape) {
  const int64_t tokens = q->size.rows;
  Tensor y = tape.Make({tokens, shape.heads * shape.v_channels});
  Block log_sums = tape.Allocate<float>(tokens * shape.heads);
  const auto arrays = [q, k, v, y, log_sums] {
    return AttentionArrays{q->bf16(), k->bf16(), v->bf16(), y->value->as<Bf16>(),
                           log_sums->as<float>()};
  };
  tape.kernels().Attention(arrays(), tokens, shape);
  tape.Record([&tape, q, k, v, y, arrays, tokens, shape] {
    const Block along = tape.Allocate<float>(tokens * shape.heads);
    Block dq = tape.Allocate<Bf16>(q->size.count()), dk = tape.Allocate<Bf16>(k->size.count());
    Block dv = tape.Allocate<Bf16>(v->size.count());
    const AttentionGradientArrays gradient{y->gradient->as<Bf16>(), along->as<float>(),
                                           dq->as<Bf16>(), dk->as<Bf16>(), dv->as<Bf16>()};
    tape.kernels().AttentionInputGradient(arrays(), gradient, tokens, shape);
    tape.AddGradient(q, std::move(dq));
    tape.AddGradient(k, std::move(dk));
    tape.AddGradient(v, std::move(dv));
  });
  return y;
}

Tensor Columns(Tape& tape, const Tensor& x, int64_t width, int64_t from, int64_t count) {
  const int64_t rows = x->size.count() / width;
  Tensor y = tape.Make({x->size.rows, x->size.columns / width * count});
  tape.kernels().MoveColumns(x->bf16() + from, y->value->as<Bf16>(), {{rows, count}, width, count});
  tape.Record([&tape, x, y, rows, width, from, count] {
    Block dx = tape.Allocate<Bf16>(x->size.count());
    tape.kernels().Zero(dx->as<void>(), 2 * x->size.count());
    tape.kernels().MoveColumns(y->gradient->as<Bf16>(), dx->as<Bf16>() + from,
                               {{rows, count}, count, width});
    tape.AddGradient(x, std::move(dx));
  });
  return y;
}

namespace {

// The rows of all heads of a token, added up.
Block SumOverHeads(Tape& tape, const Block& rows, Extent size, int64_t heads) {
  const auto numbers = [&] {
    std::vector<int64_t> all(static_cast<size_t>(size.rows));
    std::iota(all.begin(), all.end(), 0);
    return all;
  };
  const auto* which = tape.Constant<int64_t>("rows up to " + std::to_string(size.rows), numbers);
  Block sum = tape.Allocate<Bf16>(size.count() / heads);
  tape.kernels().SumOfRows(rows->as<Bf16>(), which, nullptr, static_cast<int>(heads),
                           sum->as<Bf16>(), {size.rows / heads, size.columns});
  return sum;
}

}  // namespace

Tensor Beside(Tape& tape, const Tensor& a, int64_t a_columns, const Tensor& b, int64_t b_columns,
              int64_t heads) {
  const int64_t rows = a->size.count() / a_columns, width = a_columns + b_columns;
  PIPESCOPE_CHECK(rows * b_columns == b->size.count() * heads);
  Tensor y = tape.Make({a->size.rows, a->size.columns / a_columns * width});
  Bf16* to = y->value->as<Bf16>();
  tape.kernels().MoveColumns(a->bf16(), to, {{rows, a_columns}, a_columns, width});
  tape.kernels().MoveColumns(b->bf16(), to + a_columns,
                             {{rows, b_columns}, b_columns, width, heads});
  tape.Record([&tape, a, b, y, rows, a_columns, b_columns, width, heads] {
    const Bf16* dy = y->gradient->as<Bf16>();
    Block da = tape.Allocate<Bf16>(a->size.count()), db = tape.Allocate<Bf16>(rows * b_columns);
    tape.kernels().MoveColumns(dy, da->as<Bf16>(), {{rows, a_columns}, width, a_columns});
    tape.kernels().MoveColumns(dy + a_columns, db->as<Bf16>(),
                               {{rows, b_columns}, width, b_columns});
    tape.AddGradient(a, std::move(da));
    if (heads > 1) db = SumOverHeads(tape, db, {rows, b_columns}, heads);
    tape.AddGradient(b, std::move(db));
  });
  return y;
}

}  // namespace pipescope::transformer::device
