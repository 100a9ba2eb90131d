#include <fmt/format.h>

#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/bench/v3_shapes.h"
#include "kernels/cuda/gemm.h"
#include "kernels/fp8/gemm.h"

namespace pipescope::kernels::bench {
namespace {

using cuda::Backend;
using cuda::GemmCase;
using cuda::Groups;

// FP32 sums of what the tensor core keeps 13 fraction bits of, and BF16 results: 2^-9 rms at most,
// half of its square is 2e-6. DeepGEMM allows 1e-3 against unquantised operands.
constexpr double kLimit = 1e-5;

cuda::GemmInputs DrawGemm(const GemmCase& c, Draw& draw) {
  const int64_t rows_of_b = c.groups == Groups::kRows ? c.count() * c.n : c.n;
  auto a = DrawNormal(draw, c.m * c.k), b = DrawNormal(draw, rows_of_b * c.k);
  // Scales that differ by far from row to row and from group to group show where one is misplaced.
  for (size_t i = 0; i < a.size(); ++i) a[i] *= static_cast<float>(1 + (i / 128) % 37);
  for (size_t i = 0; i < b.size(); ++i) b[i] *= static_cast<float>(1 + (i / 128) % 29);
  return {Quantize(a, c.m, c.k, Grouping::kTiles), Quantize(b, rows_of_b, c.k, c.b_grouping)};
}

Status CheckOne(const GemmCase& c, Draw& draw, Checked& checked) {
  const auto inputs = DrawGemm(c, draw);
  const auto is = GemmOnGpu(c, inputs);
  if (!is) return Fail(is.error());
  Note(checked, fmt::format("m {}, n {}, k {}, {} groups, {} SMs", c.m, c.n, c.k, c.count(), c.sms),
       Widen(*is), GemmTruth(c, inputs));
  return {};
}

Result<Checked> CheckAll(const std::vector<GemmCase>& cases, uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const GemmCase& c : cases) {
    if (auto ok = CheckOne(c, draw, checked); !ok) return Fail(ok.error());
  }
  return checked;
}

GemmCase Dense(int64_t m, int64_t n, int64_t k, Grouping b, int sms, Backend backend) {
  return {.m = m, .n = n, .k = k, .b_grouping = b, .offsets = {}, .sms = sms, .backend = backend};
}

// Tails in every dimension, more tiles than SMs, few and many steps along k, one row.
std::vector<GemmCase> DenseCases(Grouping b) {
  const Backend ours = Backend::kOurs;
  return {Dense(128, 128, 128, b, 0, ours),  Dense(1, 8, 16, b, 0, ours),
          Dense(200, 264, 400, b, 0, ours),  Dense(136, 576, 512, b, 3, ours),
          Dense(384, 512, 1152, b, 2, ours), Dense(64, 2112, 256, b, 5, ours)};
}

// Where its scales' layout differs from ours: rows that are no multiple of 128, a number of groups
// along k that is no multiple of 4. A wrong layout shows in the result.
std::vector<GemmCase> LibraryCases(Grouping b) {
  return {Dense(128, 128, 128, b, 0, Backend::kCublasLt),
          Dense(256, 512, 1152, b, 0, Backend::kCublasLt),
          Dense(2112, 576, 640, b, 0, Backend::kCublasLt)};
}

std::vector<GemmCase> RowCases() {
  GemmCase some = {
      .groups = Groups::kRows, .m = 640, .n = 256, .k = 384, .offsets = {0, 256, 256, 384, 640}};
  GemmCase one = {
      .groups = Groups::kRows, .m = 128, .n = 128, .k = 512, .offsets = {0, 0, 128, 128}};
  GemmCase few = some;
  few.sms = 2;
  return {some, one, few};
}

std::vector<GemmCase> DepthCases() {
  GemmCase some = {.groups = Groups::kDepth,
                   .m = 200,
                   .n = 264,
                   .k = 640,
                   .b_grouping = Grouping::kTiles,
                   .offsets = {0, 256, 256, 384, 640}};
  GemmCase none = {.groups = Groups::kDepth,
                   .m = 128,
                   .n = 128,
                   .k = 128,
                   .b_grouping = Grouping::kTiles,
                   .offsets = {0, 0, 128, 128}};
  GemmCase few = some;
  few.sms = 3;
  return {some, none, few};
}

// The case of a shape that is timed.
GemmCase CaseOf(const Shape& shape, Groups groups, Grouping b, int sms) {
  GemmCase c = {.groups = groups,
                .m = At(shape, "m"),
                .n = At(shape, "n"),
                .k = At(shape, "k"),
                .b_grouping = b,
                .offsets = {},
                .sms = sms};
  const int64_t count = At(shape, "groups");
  if (groups == Groups::kRows) c.m *= count;
  if (groups == Groups::kDepth) c.k *= count;
  const int64_t step = groups == Groups::kRows ? At(shape, "m") : At(shape, "k");
  for (int64_t g = 0; groups != Groups::kNone && g <= count; ++g) c.offsets.push_back(g * step);
  return c;
}

Result<Trial> GemmTrial(const Shape& shape, Groups groups, Grouping b, int sms) {
  GemmCase c = CaseOf(shape, groups, b, sms);
  auto trial = OnGpu(PrepareGemm(c), c.flops(), c.bytes());
  if (!trial || groups != Groups::kNone) return trial;
  c.backend = Backend::kCublasLt;
  // Made ready only when it is timed: not every case is one that the library takes.
  trial->baseline = [c](const Runs& runs) -> Result<std::vector<Duration>> {
    const auto library = OnGpu(PrepareGemm(c), c.flops(), c.bytes());
    if (!library) return Fail(library.error());
    return library->kernel(runs);
  };
  return trial;
}

Op GemmOp(const char* name, measured::Pass pass, Groups groups, Grouping b,
          std::vector<GemmCase> cases) {
  const bool dense = groups == Groups::kNone;
  Op op = {.name = name,
           .backend = "ours",
           .device = Device::kCuda,
           .truth = "the CPU's GEMM in double",
           .baseline = dense ? "cuBLASLt" : "",
           .baseline_serves = dense,
           .kind = measured::Kind::kGemm,
           .pass = pass,
           .format = measured::Format::kFp8,
           .sizes = {{"m", groups == Groups::kRows ? cuda::kTile : 8},
                     {"n", 8},
                     {"k", groups == Groups::kDepth ? cuda::kTile : 16}}};
  op.check = [cases](uint64_t seed) { return CheckAll(cases, seed); };
  op.trial = [=](const Shape& shape, int sms) { return GemmTrial(shape, groups, b, sms); };
  op.prepare = [=](const Shape& shape, int sms) {
    return PrepareGemm(CaseOf(shape, groups, b, sms));
  };
  return op;
}

Shape ShapeOf(int64_t groups, int64_t m, int64_t n, int64_t k) {
  return {{"groups", groups}, {"m", m}, {"n", n}, {"k", k}};
}

Op LibraryOp(const char* name, Grouping b) {
  Op op = GemmOp(name, measured::Pass::kNone, Groups::kNone, b, LibraryCases(b));
  op.backend = "cuBLASLt";
  op.baseline = "";  // timed as the others' baseline
  op.baseline_serves = false;
  return op;
}

}  // namespace

std::vector<Op> CudaGemmOps() {
  using measured::Pass;
  const Grouping blocks = Grouping::kBlocks, tiles = Grouping::kTiles;
  Op forward =
      GemmOp("fp8_gemm_forward", Pass::kForward, Groups::kNone, blocks, DenseCases(blocks));
  Op input =
      GemmOp("fp8_gemm_input_grad", Pass::kInputGrad, Groups::kNone, blocks, DenseCases(blocks));
  Op weight =
      GemmOp("fp8_gemm_weight_grad", Pass::kWeightGrad, Groups::kNone, tiles, DenseCases(tiles));
  for (const Linear& l : kV3Dense) {
    forward.shapes.push_back(ShapeOf(1, kV3Tokens, l.n, l.k));
    input.shapes.push_back(ShapeOf(1, kV3Tokens, l.k, l.n));
    weight.shapes.push_back(ShapeOf(1, l.n, l.k, kV3Tokens));
  }
  Op rows = GemmOp("fp8_gemm_grouped", Pass::kForward, Groups::kRows, blocks, RowCases());
  Op rows_back =
      GemmOp("fp8_gemm_grouped_input_grad", Pass::kInputGrad, Groups::kRows, blocks, RowCases());
  Op depth = GemmOp("fp8_gemm_grouped_weight_grad", Pass::kWeightGrad, Groups::kDepth, tiles,
                    DepthCases());
  for (const Linear& l : kV3Expert) {
    rows.shapes.push_back(ShapeOf(kV3Experts, kV3ExpertRows, l.n, l.k));
    rows_back.shapes.push_back(ShapeOf(kV3Experts, kV3ExpertRows, l.k, l.n));
    depth.shapes.push_back(ShapeOf(kV3Experts, l.n, l.k, kV3ExpertRows));
  }
  return {forward,
          input,
          weight,
          rows,
          rows_back,
          depth,
          LibraryOp("fp8_gemm_cublaslt", blocks),
          LibraryOp("fp8_gemm_cublaslt_weight_grad", tiles)};
}

}  // namespace pipescope::kernels::bench
