#include <algorithm>
#include <cmath>

#include "kernels/bench/check.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/fp8/e4m3.h"
#include "kernels/fp8/gemm.h"
#include "kernels/fp8/quantize.h"

namespace pipescope::kernels::bench {
namespace {

using Span = std::span<const float>;

// Of the 256 codes none that is a number is nearer to the value than the one chosen.
bool Nearest(float value, float scale, uint8_t code) {
  const double wanted = value / scale;  // in float, as the definition has it
  const double error = std::fabs(double{DecodeE4m3(code)} - wanted);
  if (std::fabs(wanted) >= kE4m3Max) return std::fabs(DecodeE4m3(code)) == kE4m3Max;
  for (int other = 0; other < 256; ++other) {
    if (std::fabs(double{DecodeE4m3(static_cast<uint8_t>(other))} - wanted) < error) return false;
  }
  return true;
}

void CheckQuantized(Checked& checked, const std::string& what, Span values, const Quantized& q) {
  bool nearest = true;
  for (int64_t i = 0; i < q.rows * q.columns; i += 7) {
    const size_t at = static_cast<size_t>(i);
    nearest &= Nearest(values[at], q.scale(i / q.columns, i % q.columns), q.codes[at]);
  }
  NoteTrue(checked, what + ": a code is not the nearest", nearest);
  Note(checked, what, Widen(Dequantize(q)), Widen(values));
}

Result<Checked> CheckQuantize(Grouping grouping, ScaleKind kind, uint64_t seed) {
  // A rounding to 3 bits is off by at most 2^-4 and 2^-5 rms at most: half of its square.
  Checked checked = {.limit = 1e-3};
  Draw draw(seed);
  for (const auto& [rows, columns] : {std::pair{3, 128}, {130, 384}, {128, 200}, {1, 1}, {5, 77}}) {
    const auto fresh = DrawNormal(draw, rows * columns);
    CheckQuantized(checked, "normal numbers", fresh,
                   Quantize(fresh, rows, columns, grouping, kind));
    const auto hard = DrawAdversarial(draw, rows, columns);
    const Quantized q = Quantize(hard, rows, columns, grouping, kind);
    bool bounded = true;
    for (int64_t i = 0; i < rows * columns; ++i) {
      const float scale = q.scale(i / columns, i % columns);
      const size_t at = static_cast<size_t>(i);
      const float error = std::fabs(DecodeE4m3(q.codes[at]) * scale - hard[at]);
      // Half a spacing of its own exponent, or of the least codes' 2^-9.
      bounded &= error <= std::fabs(hard[at]) / 15.9F + scale * 0x1p-10F;
    }
    NoteTrue(checked, "adversarial numbers: off by more than half a spacing", bounded);
    const Quantized turned = QuantizeTransposed(hard, rows, columns, grouping, kind);
    NoteTrue(checked, "transposed: sizes", turned.rows == columns && turned.columns == rows);
    if (grouping == Grouping::kBlocks) {
      bool same = true;
      for (int64_t i = 0; i < rows * columns; ++i) {
        same &= turned.codes[static_cast<size_t>(i % columns * rows + i / columns)] ==
                q.codes[static_cast<size_t>(i)];
      }
      NoteTrue(checked, "transposed blocks: other codes", same);
    }
  }
  return checked;
}

Bytes QuantizeBytes(const Shape& s) { return Bytes(5 * At(s, "rows") * At(s, "columns")); }

Result<Trial> QuantizeTrial(const Shape& shape, Grouping grouping) {
  const int64_t rows = At(shape, "rows"), columns = At(shape, "columns");
  Draw draw(1);
  const auto values = DrawNormal(draw, rows * columns);
  const auto run = [=] { (void)Quantize(values, rows, columns, grouping); };
  return BesideCopy(run, Flops(0), QuantizeBytes(shape));
}

Op QuantizeOp(const char* name, Grouping grouping, ScaleKind kind) {
  Op op = {.name = name,
           .backend = "scalar",
           .truth = "the nearest of 256 codes",
           .baseline = "memcpy",
           .kind = measured::Kind::kMemory,
           .format = measured::Format::kFp32,
           .shapes = {{{"rows", 64}, {"columns", 7168}}},
           .sizes = {{"rows"}, {"columns", 64}},
           .bytes = QuantizeBytes};
  op.check = [=](uint64_t seed) { return CheckQuantize(grouping, kind, seed); };
  op.trial = [=](const Shape& shape, int) { return QuantizeTrial(shape, grouping); };
  return op;
}

Result<Checked> CheckGemm(uint64_t seed) {
  // Promoted results are off by 0.1 % of their mean magnitude at worst (tensor_core.h): half of
  // its square, and room for cases of few results.
  Checked checked = {.limit = 1e-5};
  Draw draw(seed);
  for (const auto& [m, n, k] :
       {std::tuple{5, 7, 128}, {17, 130, 384}, {4, 8, 300}, {64, 64, 1024}}) {
    for (const bool tiles : {false, true}) {
      const auto x = DrawNormal(draw, m * k), y = DrawNormal(draw, n * k);
      const Quantized a = Quantize(x, m, k, Grouping::kTiles);
      const Quantized b = Quantize(y, n, k, tiles ? Grouping::kTiles : Grouping::kBlocks);
      Note(checked, tiles ? "1x128 by 1x128" : "1x128 by 128x128",
           BlockScaledGemm(a, b, Accumulation::kPromoted),
           BlockScaledGemm(a, b, Accumulation::kWide));
    }
  }
  return checked;
}

Result<Trial> GemmTrial(const Shape& shape) {
  const int64_t m = At(shape, "m"), n = At(shape, "n"), k = At(shape, "k");
  Draw draw(1);
  const Quantized a = Quantize(DrawNormal(draw, m * k), m, k, Grouping::kTiles);
  const Quantized b = Quantize(DrawNormal(draw, n * k), n, k, Grouping::kBlocks);
  const auto run = [&](Accumulation how) { return [=] { (void)BlockScaledGemm(a, b, how); }; };
  const double flops = 2.0 * static_cast<double>(m * n) * static_cast<double>(k);
  return Trial{OnCpu(run(Accumulation::kPromoted)), OnCpu(run(Accumulation::kWide)), Flops(flops),
               Bytes(m * k + n * k + 4 * m * n)};
}

}  // namespace

std::vector<Op> CpuFp8Ops() {
  std::vector<Op> ops = {
      QuantizeOp("fp8_quantize_tiles", Grouping::kTiles, ScaleKind::kFloat),
      QuantizeOp("fp8_quantize_tiles_pow2", Grouping::kTiles, ScaleKind::kPowerOfTwo),
      QuantizeOp("fp8_quantize_blocks", Grouping::kBlocks, ScaleKind::kFloat),
      QuantizeOp("fp8_quantize_blocks_pow2", Grouping::kBlocks, ScaleKind::kPowerOfTwo),
  };
  Op gemm = {.name = "fp8_gemm",
             .backend = "tensor core emulated",
             .truth = "sums in double",
             .baseline = "sums in double",
             .kind = measured::Kind::kGemm,
             .pass = measured::Pass::kForward,
             .format = measured::Format::kFp8,
             .shapes = {{{"groups", 1}, {"m", 16}, {"n", 64}, {"k", 512}}},
             .sizes = {{"m"}, {"n", 8}, {"k", 16}},
             .check = CheckGemm};
  gemm.trial = [](const Shape& shape, int) { return GemmTrial(shape); };
  ops.push_back(gemm);
  return ops;
}

}  // namespace pipescope::kernels::bench
