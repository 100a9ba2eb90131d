#include <algorithm>
#include <cmath>

#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/quantize.h"
#include "kernels/train/bf16.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/swiglu.h"

namespace pipescope::kernels::bench {
namespace {

using cuda::QuantizeCase;
using cuda::Source;

std::vector<uint16_t> Encode(std::vector<float>& values) {
  std::vector<uint16_t> codes;
  for (float& value : values) {
    codes.push_back(EncodeBf16(value));
    value = DecodeBf16(codes.back());  // the truth has the same input
  }
  return codes;
}

// To the bit where nothing is fused. Fused sources sum and take exponentials in FP32: now and then
// a code is its neighbour, and a scale is off in its last bits.
Status CheckCaseOnGpu(const QuantizeCase& c, const std::vector<float>& truth,
                      std::span<const uint16_t> x, std::span<const uint16_t> weight,
                      Checked& checked) {
  const auto is = QuantizeOnGpu(c, x, weight);
  if (!is) return Fail(is.error());
  const Quantized should = c.transposed
                               ? QuantizeTransposed(truth, c.rows, c.columns, c.grouping, c.kind)
                               : Quantize(truth, c.rows, c.columns, c.grouping, c.kind);
  if (c.source == Source::kPlain) {
    NoteEqual(checked, "scales", std::span(is->scales), std::span(should.scales));
    NoteEqual(checked, "codes", std::span(is->codes), std::span(should.codes));
  } else if (c.kind == ScaleKind::kFloat) {
    NoteTrue(checked, "sizes",
             is->codes.size() == should.codes.size() && is->scales.size() == should.scales.size());
    bool near = true;
    for (size_t i = 0; i < should.scales.size() && checked.well(); ++i) {
      near &= std::fabs(is->scales[i] - should.scales[i]) <= 1e-5F * should.scales[i];
    }
    NoteTrue(checked, "scales are off by more than 1e-5", near);
  }
  if (!checked.well()) return {};
  Note(checked, "values", Widen(Dequantize(*is)), Widen(Dequantize(should)));
  return {};
}

std::vector<float> TruthOf(const QuantizeCase& c, const std::vector<float>& x,
                           const std::vector<float>& weight) {
  if (c.source == Source::kRmsNorm) return RmsNorm(x, weight);
  if (c.source == Source::kSwiGlu) return SwiGlu(x, c.columns);
  return x;
}

Result<Checked> CheckQuantizer(QuantizeCase c, uint64_t seed) {
  // A power of two that is rounded up by a last bit doubles a scale: a whole group moves.
  Checked checked = {.limit = c.source == Source::kPlain         ? 0
                              : c.kind == ScaleKind::kPowerOfTwo ? 1e-4
                                                                 : 1e-5};
  Draw draw(seed);
  for (const auto& [rows, columns] :
       {std::pair{128, 128}, {16, 16}, {144, 208}, {400, 7168}, {256, 512}, {16, 1536}}) {
    for (const bool hard : {false, true}) {
      c.rows = rows;
      c.columns = columns;
      const int64_t width = c.source == Source::kSwiGlu ? 2 * c.columns : c.columns;
      auto values = hard && c.source == Source::kPlain ? DrawAdversarial(draw, rows, width)
                                                       : DrawNormal(draw, rows * width, 2);
      // A fused source's hard case: a row of zeros among the others.
      if (hard) std::fill(values.begin(), values.begin() + width, 0.0F);
      auto weight = DrawNormal(draw, c.source == Source::kRmsNorm ? columns : 0);
      const auto x = Encode(values), w = Encode(weight);
      if (auto ok = CheckCaseOnGpu(c, TruthOf(c, values, weight), x, w, checked); !ok) {
        return Fail(ok.error());
      }
    }
  }
  return checked;
}

QuantizeCase Sized(QuantizeCase c, const Shape& shape) {
  c.rows = At(shape, "rows");
  c.columns = At(shape, "columns");
  return c;
}

Op QuantizerOp(const std::string& name, const QuantizeCase& c, std::vector<Shape> shapes) {
  Op op = {.name = name,
           .backend = "ours",
           .device = Device::kCuda,
           .truth = "the CPU's quantiser",
           .baseline = "copy of the same bytes",
           .kind = measured::Kind::kMemory,
           .format = measured::Format::kFp8,
           .shapes = std::move(shapes),
           .sizes = {{"rows", 16}, {"columns", 16}}};
  op.bytes = [c](const Shape& shape) { return Sized(c, shape).bytes(); };
  op.check = [c](uint64_t seed) { return CheckQuantizer(c, seed); };
  op.prepare = [c](const Shape& shape, int) { return PrepareQuantize(Sized(c, shape)); };
  op.trial = [c, bytes = op.bytes](const Shape& shape, int) {
    return BesideCopyOnGpu(OnGpu(PrepareQuantize(Sized(c, shape)), Flops(0), bytes(shape)));
  };
  return op;
}

}  // namespace

// Activations of 4096 tokens, and of 32768 rows of experts; weights of experts and of o_proj.
std::vector<Op> CudaQuantizeOps() {
  const std::vector<Shape> rows = {{{"rows", 4096}, {"columns", 7168}},
                                   {{"rows", 32768}, {"columns", 2048}}};
  const std::vector<Shape> weights = {{{"rows", 4096}, {"columns", 7168}},
                                      {{"rows", 7168}, {"columns", 16384}}};
  std::vector<Op> ops;
  for (const ScaleKind kind : {ScaleKind::kFloat, ScaleKind::kPowerOfTwo}) {
    const std::string end = kind == ScaleKind::kFloat ? "" : "_pow2";
    for (const bool turned : {false, true}) {
      const std::string name = std::string(turned ? "_transposed" : "") + end;
      ops.push_back(
          QuantizerOp("fp8_quantize_tiles" + name, {.kind = kind, .transposed = turned}, rows));
      ops.push_back(QuantizerOp("fp8_quantize_blocks" + name,
                                {.grouping = Grouping::kBlocks, .kind = kind, .transposed = turned},
                                weights));
    }
    ops.push_back(
        QuantizerOp("fp8_quantize_rms_norm" + end, {.kind = kind, .source = Source::kRmsNorm},
                    {{{"rows", 4096}, {"columns", 7168}}, {{"rows", 4096}, {"columns", 1536}}}));
    ops.push_back(QuantizerOp("fp8_quantize_swiglu" + end,
                              {.kind = kind, .source = Source::kSwiGlu},
                              {{{"rows", 32768}, {"columns", 2048}}}));
  }
  return ops;
}

}  // namespace pipescope::kernels::bench
