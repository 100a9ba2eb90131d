#include "kernels/bench/check.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/fast/layers.h"
#include "kernels/fast/router.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/swiglu.h"

namespace pipescope::kernels::bench {
namespace {

using Floats = std::vector<float>;

// FP32 in another order: the relative difference counts squares of 1e-6.
constexpr double kLimit = 1e-10;

constexpr int64_t kSequence = 4096;  // that DeepSeek-V3 is trained on

struct Rows {
  int64_t rows, columns;
};

Rows RowsOf(const Shape& shape) { return {At(shape, "rows"), At(shape, "columns")}; }

std::vector<int32_t> Chosen(Draw& draw, int64_t count, int64_t end) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) ids.push_back(static_cast<int32_t>(draw.Below(end)));
  return ids;
}

// The truth and the fast function on the same inputs; each call makes one result.
struct Pair {
  std::function<Floats()> truth, fast;
};
using MakePair = std::function<Pair(Draw& draw, Rows size)>;

Pair RmsNormPair(Draw& draw, Rows n) {
  const auto x = DrawNormal(draw, n.rows * n.columns), w = DrawNormal(draw, n.columns);
  return {[=] { return RmsNorm(x, w); }, [=] { return fast::RmsNorm(x, w); }};
}

Pair RmsNormGradientPair(Draw& draw, Rows n) {
  const auto x = DrawNormal(draw, n.rows * n.columns), w = DrawNormal(draw, n.columns);
  const auto dy = DrawNormal(draw, n.rows * n.columns);
  return {[=] { return RmsNormInputGradient(x, w, dy); },
          [=] { return fast::RmsNormInputGradient(x, w, dy); }};
}

Pair SwiGluPair(Draw& draw, Rows n) {
  const auto x = DrawNormal(draw, 2 * n.rows * n.columns, 2);
  return {[=] { return SwiGlu(x, n.columns); }, [=] { return fast::SwiGlu(x, n.columns); }};
}

Pair SwiGluGradientPair(Draw& draw, Rows n) {
  const auto x = DrawNormal(draw, 2 * n.rows * n.columns, 2);
  const auto dy = DrawNormal(draw, n.rows * n.columns);
  return {[=] { return SwiGluInputGradient(x, dy, n.columns); },
          [=] { return fast::SwiGluInputGradient(x, dy, n.columns); }};
}

Pair RopePair(Draw& draw, Rows n) {
  const RopeShape shape = {.heads = 1, .channels = n.columns, .rotary = n.columns / 2 * 2};
  const auto x = DrawNormal(draw, n.rows * n.columns);
  // Anywhere in a sequence, however many rows there are: sines of large angles take longer.
  std::vector<int64_t> positions;
  for (int64_t t = 0; t < n.rows; ++t) positions.push_back(draw.Below(kSequence));
  const auto f = RopeFrequencies(shape.rotary);
  return {[=] { return Rope(x, positions, f, shape); },
          [=] { return fast::Rope(x, positions, f, shape); }};
}

Pair LossPair(Draw& draw, Rows n) {
  const auto z = DrawNormal(draw, n.rows * n.columns, 3);
  const auto targets = Chosen(draw, n.rows, n.columns);
  return {[=] { return CrossEntropy(z, targets, n.columns); },
          [=] { return fast::CrossEntropy(z, targets, n.columns); }};
}

Pair PermutePair(Draw& draw, Rows n) {
  const auto x = DrawNormal(draw, n.rows * n.columns);
  const Permutation by = MakePermutation(Chosen(draw, 4 * n.rows, 8), 4, 8, 16);
  return {[=] { return Permute(x, by, n.columns); },
          [=] { return fast::Permute(x, by, n.columns); }};
}

Pair UnpermutePair(Draw& draw, Rows n) {
  const Permutation by = MakePermutation(Chosen(draw, 4 * n.rows, 8), 4, 8, 16);
  const auto rows = DrawNormal(draw, by.rows() * n.columns), w = DrawNormal(draw, 4 * n.rows);
  return {[=] { return Unpermute(rows, w, by, n.columns); },
          [=] { return fast::Unpermute(rows, w, by, n.columns); }};
}

// Experts, then weights, of half of which a token may choose.
Pair RouterPair(Draw& draw, Rows n) {
  const RouterConfig config = {n.columns, 4, 2, 1, 2, Scoring::kSigmoid, true, 2.5};
  const auto logits = DrawNormal(draw, n.rows * n.columns);
  const auto floats = [](const Routes& routes) {
    Floats all(routes.experts.begin(), routes.experts.end());
    all.insert(all.end(), routes.weights.begin(), routes.weights.end());
    return all;
  };
  return {[=] { return floats(Route(logits, {}, config)); },
          [=] { return floats(fast::Route(logits, {}, config)); }};
}

// Weights after a step; moments start from zero each time.
Pair AdamWPair(Draw& draw, Rows n) {
  const auto g = DrawNormal(draw, n.rows * n.columns), w = DrawNormal(draw, n.rows * n.columns);
  const auto step = [=](auto update) {
    Floats now = w;
    std::vector<uint16_t> m(w.size(), 0), v(w.size(), 0);
    update(AdamW{}, 1, g, now, m, v);
    return now;
  };
  return {[=] { return step([](auto&&... a) { AdamWStep(a...); }); },
          [=] { return step([](auto&&... a) { fast::AdamWStep(a...); }); }};
}

Op FastOp(const char* name, Rows size, int64_t bytes_a_value, const MakePair& make) {
  Op op = {.name = name,
           .backend = "fast",
           .truth = "the truth in double",
           .baseline = "the truth",
           .kind = measured::Kind::kMemory,
           .format = measured::Format::kFp32,
           .shapes = {{{"rows", size.rows}, {"columns", size.columns}}},
           .sizes = {{"rows"}, {"columns", 64}}};
  op.bytes = [=](const Shape& shape) {
    const Rows n = RowsOf(shape);
    return Bytes(bytes_a_value * n.rows * n.columns);
  };
  op.check = [=](uint64_t seed) -> Result<Checked> {
    Checked checked = {.limit = kLimit};
    Draw draw(seed);
    for (const Rows some : {Rows{1, 8}, {5, 130}, {16, 64}}) {
      const Pair pair = make(draw, some);
      Note(checked, name, Widen(pair.fast()), Widen(pair.truth()));
    }
    return checked;
  };
  op.trial = [=, bytes = op.bytes](const Shape& shape, int) -> Result<Trial> {
    Draw draw(1);
    const Pair pair = make(draw, RowsOf(shape));
    return Trial{OnCpu([fast = pair.fast] { (void)fast(); }),
                 OnCpu([truth = pair.truth] { (void)truth(); }), Flops(0), bytes(shape)};
  };
  return op;
}

}  // namespace

std::vector<Op> CpuFastOps() {
  return {FastOp("rms_norm_fast", {64, 7168}, 8, RmsNormPair),
          FastOp("rms_norm_input_grad_fast", {64, 7168}, 12, RmsNormGradientPair),
          FastOp("swiglu_fast", {128, 2048}, 12, SwiGluPair),
          FastOp("swiglu_input_grad_fast", {128, 2048}, 20, SwiGluGradientPair),
          FastOp("rope_fast", {1024, 64}, 8, RopePair),
          FastOp("cross_entropy_fast", {8, 32768}, 4, LossPair),
          FastOp("router_fast", {64, 256}, 4, RouterPair),
          FastOp("permute_fast", {64, 1024}, 4 * 5, PermutePair),
          FastOp("unpermute_fast", {64, 1024}, 4 * 5, UnpermutePair),
          FastOp("adamw_fast", {256, 1024}, 20, AdamWPair)};
}

}  // namespace pipescope::kernels::bench
