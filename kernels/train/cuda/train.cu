#include <string>

#include "kernels/train/cuda/row_launch.cuh"

namespace pipescope::kernels::cuda {
namespace {

constexpr int64_t kSliceRows = 128;  // of a weight gradient's partial sum

}  // namespace

Status RmsNorm(const Bf16* x, const float* weight, Bf16* y, Size size, float epsilon,
               Stream stream) {
  return OverRows("RMSNorm", RmsNormBody{x, weight, y, size.columns, epsilon}, size, stream);
}

Status RmsNormInputGradient(const Bf16* x, const float* weight, const Bf16* dy, Bf16* dx,
                            float* inverse, Size size, float epsilon, Stream stream) {
  return OverRows("RMSNorm's input gradient",
                  RmsNormInputGradientBody{x, weight, dy, dx, inverse, size.columns, epsilon}, size,
                  stream);
}

int64_t RmsNormParts(int64_t rows) { return (rows + kSliceRows - 1) / kSliceRows; }

Status RmsNormWeightGradient(const Bf16* x, const Bf16* dy, const float* inverse, float* partial,
                             float* dw, Size size, Stream stream, int64_t dy_stride) {
  constexpr const char* kWhat = "RMSNorm's weight gradient";
  if (size.columns % kWidth != 0) return Fail(std::string(kWhat) + ": columns not a multiple of 8");
  const int64_t parts = RmsNormParts(size.rows);
  const Status sliced =
      OverEach(kWhat,
               RmsNormSliceBody{x, dy, inverse, partial, size.rows, size.columns, kSliceRows,
                                dy_stride == 0 ? size.columns : dy_stride},
               parts * (size.columns / kWidth), stream);
  if (!sliced) return sliced;
  return OverEach(kWhat, SumPartialsBody{partial, dw, parts, size.columns}, size.columns, stream);
}

Status MtpJoin(const device::MtpArrays<Bf16>& in, Bf16* y, Size size, float epsilon,
               Stream stream) {
  return OverRows("MTP's join", MtpJoinBody{in, y, size.columns, epsilon},
                  {2 * size.rows, size.columns}, stream);
}

Status MtpJoinInputGradient(const device::MtpArrays<Bf16>& in, const Bf16* dy,
                            const device::MtpGradients<Bf16>& out, Size size, float epsilon,
                            Stream stream) {
  return OverRows("MTP's join's input gradient",
                  MtpJoinInputGradientBody{in, dy, out, size.columns, epsilon},
                  {2 * size.rows, size.columns}, stream);
}

Status SwiGlu(const Bf16* x, Bf16* y, Size size, Stream stream) {
  return OverRows("SwiGLU", SwiGluBody{x, y, size.columns}, size, stream);
}

Status SwiGluInputGradient(const Bf16* x, const Bf16* dy, Bf16* dx, Bf16* again, Size size,
                           Stream stream) {
  return OverRows("SwiGLU's input gradient",
                  SwiGluInputGradientBody{x, dy, dx, again, size.columns}, size, stream);
}

Status Rope(const Bf16* x, Bf16* y, const device::Turn* table, float turn, RopeSize size,
            Stream stream) {
  if (size.rotary % kWidth != 0 || size.channels % kWidth != 0 || size.rotary > size.channels) {
    return Fail("RoPE: channels and rotary channels: expected multiples of 8");
  }
  return OverRows("RoPE", RopeBody{x, y, table, turn, size.heads, size.channels, size.rotary},
                  {size.tokens, size.heads * size.channels}, stream);
}

namespace {

Status Checked(const device::RouterShape& s) {
  const bool right = s.groups > 0 && s.experts > 0 && s.experts % s.groups == 0 &&
                     s.experts <= device::kMostExperts && s.groups <= device::kMostGroups &&
                     0 < s.selected && s.selected <= device::kMostSelected &&
                     0 < s.groups_selected && s.groups_selected <= s.groups && 0 < s.group_best &&
                     s.group_best <= s.experts / s.groups &&
                     s.selected <= s.experts / s.groups * s.groups_selected;
  if (right) return {};
  return Fail("router: " + std::to_string(s.experts) + " experts in " + std::to_string(s.groups) +
              " groups, " + std::to_string(s.selected) + " selected of " +
              std::to_string(s.groups_selected) +
              ": expected at most 512 experts, 64 groups and 32 selected, which the groups hold");
}

}  // namespace

Status Route(const float* logits, const float* bias, const device::RouterShape& shape,
             int32_t* experts, float* weights, int64_t tokens, Stream stream) {
  if (Status right = Checked(shape); !right) return right;
  return OverRows("router", RouterBody{logits, bias, shape, experts, weights}, {tokens, kWidth},
                  stream);
}

Status RouteInputGradient(const float* logits, const int32_t* experts, const float* d_weights,
                          const device::RouterShape& shape, float* d_logits, int64_t tokens,
                          Stream stream) {
  if (Status right = Checked(shape); !right) return right;
  return OverRows("router's input gradient",
                  RouterInputGradientBody{logits, experts, d_weights, shape, d_logits},
                  {tokens, kWidth}, stream);
}

Status CrossEntropy(Bf16* logits, const int32_t* targets, const float* d_losses, bool gradient,
                    float* losses, Size size, Stream stream) {
  return OverRows("cross-entropy",
                  CrossEntropyBody{logits, targets, d_losses, gradient, losses, size.columns}, size,
                  stream);
}

Status Gather(const Bf16* x, const int64_t* from, Bf16* y, Size size, Stream stream) {
  return OverRows("gather", GatherBody{x, from, y, size.columns}, size, stream);
}

Status Add(const Bf16* a, const Bf16* b, Bf16* y, Size size, Stream stream) {
  return OverRows("addition", AddBody{a, b, y, size.columns}, size, stream);
}

Status SumOfRows(const Bf16* rows, const int64_t* which, const float* weights, int count, Bf16* y,
                 Size size, Stream stream) {
  return OverRows("sum of rows", SumOfRowsBody{rows, which, weights, count, y, size.columns}, size,
                  stream);
}

Status UnpermuteGradient(const Bf16* rows, const Bf16* dy, const float* weights,
                         const int64_t* rows_of, int selected, Bf16* d_rows, float* d_weights,
                         int64_t slots, int64_t columns, Stream stream) {
  return OverRows(
      "unpermute's gradient",
      UnpermuteGradientBody{rows, dy, weights, rows_of, selected, d_rows, d_weights, columns},
      {slots, columns}, stream);
}

Status EmbeddingGradient(const Bf16* dy, const int32_t* positions, const int64_t* begins,
                         float* d_table, Size size, Stream stream) {
  return OverRows("embedding's gradient",
                  EmbeddingGradientBody{dy, positions, begins, d_table, size.columns}, size,
                  stream);
}

Status AdamW(const device::AdamWScalars& scalars, const float* gradient, float* weights, Bf16* m,
             Bf16* v, Bf16* copy, int64_t count, Stream stream) {
  if (count % 4 != 0) return Fail("AdamW: expected a multiple of 4 weights");
  return OverEach("AdamW", AdamWBody{scalars, gradient, weights, m, v, copy}, count / 4, stream);
}

}  // namespace pipescope::kernels::cuda
