// The model's operations on a tape: each computes its result now and writes down its gradients.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "kernels/train/attention.h"
#include "kernels/train/permute.h"
#include "kernels/train/rope.h"
#include "kernels/train/router.h"
#include "kernels/transformer/parameter.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer {

Tensor Embed(Tape& tape, Parameter& table, std::span<const int32_t> tokens);
// In FP8 where the tape is; WideLinear never.
Tensor Linear(Tape& tape, const Tensor& x, Parameter& w);
Tensor WideLinear(Tape& tape, const Tensor& x, Parameter& w);
Tensor Norm(Tape& tape, const Tensor& x, Parameter& w);
Tensor Add(Tape& tape, const Tensor& a, const Tensor& b);
Tensor SwiGlu(Tape& tape, const Tensor& x);
// Positions count from 0.
Tensor Rope(Tape& tape, const Tensor& x, const kernels::RopeShape& shape);
Tensor Attend(Tape& tape, const Tensor& q, const Tensor& k, const Tensor& v,
              const kernels::AttentionShape& shape);

// Columns [from, from + count) of each of the rows that x has when it is cut into `width` columns.
Tensor Columns(Tape& tape, const Tensor& x, int64_t width, int64_t from, int64_t count);
// Each row of a, then the row of b that goes with it: where a has `heads` rows for each of b's, all
// of them get the same. Columns are those of the rows of a head.
Tensor Beside(Tape& tape, const Tensor& a, int64_t a_columns, const Tensor& b, int64_t b_columns,
              int64_t heads);

inline bool IsEmpty(const Tensor& x) { return x->value.empty(); }

// The same values; for readers that go back side by side.
Tensor Copy(Tape& tape, const Tensor& x);

struct Choice {
  std::vector<int32_t> experts;  // [tokens][selected]
  Tensor weights;                // likewise
};
Choice Choose(Tape& tape, const Tensor& logits, const kernels::RouterConfig& config);
struct Routing {
  std::shared_ptr<const kernels::Permutation> by;
  Tensor weights;  // [tokens][selected]
};
Routing Route(const Tape& tape, std::span<const int32_t> chosen, const Tensor& weights,
              int64_t experts);
Tensor Permute(Tape& tape, const Tensor& x, const Routing& routing);
// Each expert's rows times its own matrix.
using ExpertWeights = std::span<const std::unique_ptr<Parameter>>;
Tensor Grouped(Tape& tape, const Tensor& rows, ExpertWeights w, const Routing& routing);
Tensor Unpermute(Tape& tape, const Tensor& rows, const Routing& routing);

// What comes to a stage and leaves it.
inline Tensor TakeIn(const Tape& tape, std::vector<float> value, int64_t columns) {
  return tape.Make(std::move(value), columns);
}
inline std::vector<float> ValueOut(const Tensor& x) { return x->value; }
inline void GradientIn(const Tape&, const Tensor& x, std::vector<float> gradient) {
  x->gradient = std::move(gradient);
}
inline std::vector<float> GradientOut(const Tensor& x) { return std::move(x->gradient); }

inline double ValueOf(double loss) { return loss; }
// The sum over tokens of the cross-entropy; the gradient that starts the backward pass is of
// `weight` times it.
double LossOf(Tape& tape, const Tensor& logits, std::span<const int32_t> targets, double weight);

}  // namespace pipescope::transformer
