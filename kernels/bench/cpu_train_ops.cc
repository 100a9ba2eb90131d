#include <cmath>

#include "kernels/bench/adjoint.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/train/attention.h"
#include "kernels/train/mtp.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"
#include "kernels/train/swiglu.h"

namespace pipescope::kernels::bench {
namespace {

using Span = std::span<const float>;

// Differences of floats: off by about 2^-24 / h = 2^-16 and h^2 / 6 of the third derivative; its
// square counts.
constexpr double kGradientLimit = 1e-5;

// Rows of so many bytes a value.
std::function<Bytes(const Shape&)> RowBytes(int64_t a_value) {
  return [a_value](const Shape& shape) {
    return Bytes(a_value * At(shape, "rows") * At(shape, "columns"));
  };
}

Bytes RopeBytes(const Shape& shape) {
  return Bytes(8 * At(shape, "tokens") * At(shape, "heads") * At(shape, "channels"));
}

Op TrainOp(const char* name, measured::Kind kind, Shape shape) {
  return {.name = name,
          .backend = "scalar",
          .truth = "differences along random directions",
          .baseline = "memcpy",
          .kind = kind,
          .format = measured::Format::kFp32,
          .shapes = {std::move(shape)}};
}

Result<Checked> CheckRmsNorm(uint64_t seed) {
  Checked checked = {.limit = kGradientLimit};
  Draw draw(seed);
  for (const auto& [rows, columns] : {std::pair{1, 8}, {3, 130}, {7, 64}}) {
    const auto x = DrawNormal(draw, rows * columns), w = DrawNormal(draw, columns);
    NoteGradient(
        checked, "rms_norm of x", draw, x, [&](Span at) { return RmsNorm(at, w); },
        [&](Span at, Span dy) { return RmsNormInputGradient(at, w, dy); });
    NoteGradient(
        checked, "rms_norm of its weight", draw, w, [&](Span at) { return RmsNorm(x, at); },
        [&](Span at, Span dy) {
          return RmsNormWeightGradient(x, dy, static_cast<int64_t>(at.size()));
        });
  }
  const std::vector<float> zeros(64, 0), ones(64, 1);
  NoteEqual(checked, "rms_norm of zeros", Span(RmsNorm(zeros, ones)), Span(zeros));
  return checked;
}

Result<Checked> CheckMtp(uint64_t seed) {
  Checked checked = {.limit = kGradientLimit};
  Draw draw(seed);
  for (const auto& [rows, columns] : {std::pair{1, 8}, {3, 34}}) {
    const auto h = DrawNormal(draw, rows * columns), e = DrawNormal(draw, rows * columns);
    const auto wh = DrawNormal(draw, columns), we = DrawNormal(draw, columns);
    NoteGradient(
        checked, "mtp_join of h", draw, h,
        [&](Span at) {
          return MtpJoin({at, e, wh, we});
        },
        [&](Span at, Span dy) {
          return MtpJoinInputGradient({at, e, wh, we}, dy).dh;
        });
    NoteGradient(
        checked, "mtp_join of e", draw, e,
        [&](Span at) {
          return MtpJoin({h, at, wh, we});
        },
        [&](Span at, Span dy) {
          return MtpJoinInputGradient({h, at, wh, we}, dy).de;
        });
    NoteGradient(
        checked, "mtp_join of its weights", draw, we,
        [&](Span at) {
          return MtpJoin({h, e, wh, at});
        },
        [&](Span at, Span dy) {
          return MtpJoinWeightGradient({h, e, wh, at}, dy).e;
        });
  }
  return checked;
}

Result<Checked> CheckSwiGlu(uint64_t seed) {
  Checked checked = {.limit = kGradientLimit};
  Draw draw(seed);
  for (const auto& [rows, columns] : {std::pair{1, 4}, {5, 33}, {2, 256}}) {
    const auto x = DrawNormal(draw, rows * columns * 2, 2);
    const int64_t width = columns;
    NoteGradient(
        checked, "swiglu", draw, x, [=](Span at) { return SwiGlu(at, width); },
        [=](Span at, Span dy) { return SwiGluInputGradient(at, dy, width); });
  }
  return checked;
}

Result<Checked> CheckRope(uint64_t seed) {
  Checked checked = {.limit = kGradientLimit};
  Draw draw(seed);
  const RopeShape shape = {.heads = 3, .channels = 24, .rotary = 8};
  const std::vector<int64_t> positions = {0, 1, 4095, 131072};
  const auto frequencies = RopeFrequencies(shape.rotary);
  const auto x = DrawNormal(draw, 4 * shape.heads * shape.channels);
  const auto turn = [&](Span at) { return Rope(at, positions, frequencies, shape); };
  const auto back = [&](Span, Span dy) {
    return RopeInputGradient(dy, positions, frequencies, shape);
  };
  NoteGradient(checked, "rope", draw, x, turn, back);
  Note(checked, "rope and back", Widen(back(x, turn(x))), Widen(x));
  return checked;
}

Result<Checked> CheckAttention(uint64_t seed) {
  Checked checked = {.limit = kGradientLimit};
  Draw draw(seed);
  for (const int64_t window : {kNoWindow, int64_t{3}}) {
    const AttentionShape shape = {.heads = 4,
                                  .kv_heads = 2,
                                  .qk_channels = 12,
                                  .v_channels = 8,
                                  .scale = 1 / std::sqrt(12.0),
                                  .window = window};
    const auto q = DrawNormal(draw, 7 * 4 * 12), k = DrawNormal(draw, 9 * 2 * 12);
    const auto v = DrawNormal(draw, 9 * 2 * 8);
    NoteGradient(
        checked, "attention of q", draw, q, [&](Span at) { return Attention(at, k, v, shape).out; },
        [&](Span at, Span d) { return AttentionInputGradient(at, k, v, d, shape).dq; });
    NoteGradient(
        checked, "attention of k", draw, k, [&](Span at) { return Attention(q, at, v, shape).out; },
        [&](Span at, Span d) { return AttentionInputGradient(q, at, v, d, shape).dk; });
    NoteGradient(
        checked, "attention of v", draw, v, [&](Span at) { return Attention(q, k, at, shape).out; },
        [&](Span at, Span d) { return AttentionInputGradient(q, k, at, d, shape).dv; });
  }
  return checked;
}

Result<Trial> RmsNormTrial(const Shape& shape, int) {
  const int64_t rows = At(shape, "rows"), columns = At(shape, "columns");
  Draw draw(1);
  const auto x = DrawNormal(draw, rows * columns), w = DrawNormal(draw, columns);
  return BesideCopy([=] { (void)RmsNorm(x, w); }, Flops(0), RowBytes(8)(shape));
}

Result<Trial> MtpTrial(const Shape& shape, int) {
  const int64_t rows = At(shape, "rows"), columns = At(shape, "columns");
  Draw draw(1);
  const auto h = DrawNormal(draw, rows * columns), e = DrawNormal(draw, rows * columns);
  const auto w = DrawNormal(draw, columns);
  return BesideCopy([=] { (void)MtpJoin({h, e, w, w}); }, Flops(0), RowBytes(16)(shape));
}

Result<Trial> SwiGluTrial(const Shape& shape, int) {
  const int64_t rows = At(shape, "rows"), columns = At(shape, "columns");
  Draw draw(1);
  const auto x = DrawNormal(draw, 2 * rows * columns);
  return BesideCopy([=] { (void)SwiGlu(x, columns); }, Flops(0), RowBytes(12)(shape));
}

Result<Trial> RopeTrial(const Shape& shape, int) {
  const RopeShape rope = {At(shape, "heads"), At(shape, "channels"), At(shape, "rotary")};
  const int64_t tokens = At(shape, "tokens"), values = tokens * rope.heads * rope.channels;
  Draw draw(1);
  const auto x = DrawNormal(draw, values);
  std::vector<int64_t> positions;
  for (int64_t t = 0; t < tokens; ++t) positions.push_back(t);
  const auto frequencies = RopeFrequencies(rope.rotary);
  return BesideCopy([=] { (void)Rope(x, positions, frequencies, rope); }, Flops(0),
                    RopeBytes(shape));
}

Result<Trial> AttentionTrial(const Shape& shape, int) {
  const int64_t tokens = At(shape, "sequence");
  const AttentionShape a = {.heads = At(shape, "heads"),
                            .kv_heads = At(shape, "key_heads"),
                            .qk_channels = At(shape, "qk_dim"),
                            .v_channels = At(shape, "v_dim"),
                            .scale = 1 / std::sqrt(static_cast<double>(At(shape, "qk_dim")))};
  Draw draw(1);
  const auto q = DrawNormal(draw, tokens * a.heads * a.qk_channels);
  const auto k = DrawNormal(draw, tokens * a.kv_heads * a.qk_channels);
  const auto v = DrawNormal(draw, tokens * a.kv_heads * a.v_channels);
  const int64_t bytes = 4 * static_cast<int64_t>(q.size() + k.size() + v.size()) +
                        4 * tokens * a.heads * a.v_channels;
  // Of a causal mask half of all pairs and half of the diagonal.
  const double pairs = static_cast<double>(tokens * (tokens + 1) / 2 * a.heads);
  const double flops = 2 * pairs * static_cast<double>(a.qk_channels + a.v_channels);
  return BesideCopy([=] { (void)Attention(q, k, v, a); }, Flops(flops), Bytes(bytes));
}

}  // namespace

std::vector<Op> CpuTrainOps() {
  using measured::Kind;
  const std::vector<Size> rows = {{"rows"}, {"columns", 64}};
  Op norm = TrainOp("rms_norm", Kind::kMemory, {{"rows", 64}, {"columns", 7168}});
  norm.check = CheckRmsNorm;
  norm.trial = RmsNormTrial;
  norm.bytes = RowBytes(8);
  norm.sizes = rows;
  Op mtp = TrainOp("mtp_join", Kind::kMemory, {{"rows", 32}, {"columns", 7168}});
  mtp.check = CheckMtp;
  mtp.trial = MtpTrial;
  mtp.bytes = RowBytes(16);
  mtp.sizes = rows;
  Op swiglu = TrainOp("swiglu", Kind::kMemory, {{"rows", 128}, {"columns", 2048}});
  swiglu.check = CheckSwiGlu;
  swiglu.trial = SwiGluTrial;
  swiglu.bytes = RowBytes(12);
  swiglu.sizes = rows;
  Op rope = TrainOp("rope", Kind::kMemory,
                    {{"tokens", 64}, {"heads", 16}, {"channels", 192}, {"rotary", 64}});
  rope.check = CheckRope;
  rope.trial = RopeTrial;
  rope.bytes = RopeBytes;
  rope.sizes = {{"tokens"}, {"heads"}};
  Op attention = TrainOp("attention", Kind::kAttention,
                         {{"batch", 1},
                          {"sequence", 64},
                          {"heads", 4},
                          {"key_heads", 4},
                          {"qk_dim", 192},
                          {"v_dim", 128}});
  attention.pass = measured::Pass::kForward;
  attention.check = CheckAttention;
  attention.trial = AttentionTrial;
  attention.sizes = {{"sequence"}, {"heads", 1, "key_heads"}};
  return {norm, mtp, swiglu, rope, attention};
}

}  // namespace pipescope::kernels::bench
