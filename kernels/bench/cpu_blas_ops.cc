#include <cmath>
#include <memory>

#include "kernels/bench/check.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/fast/attention.h"
#include "kernels/fast/gemm.h"

namespace pipescope::kernels::bench {
namespace {

constexpr double kLimit = 1e-10;

AttentionShape Mla(int64_t heads) {
  return {.heads = heads,
          .kv_heads = heads,
          .qk_channels = 192,
          .v_channels = 128,
          .scale = 1 / std::sqrt(192.0)};
}

struct Qkv {
  std::vector<float> q, k, v;
};

Qkv DrawQkv(Draw& draw, const AttentionShape& shape, int64_t tokens) {
  const int64_t qk = tokens * shape.heads * shape.qk_channels;
  return {DrawNormal(draw, qk), DrawNormal(draw, qk),
          DrawNormal(draw, tokens * shape.heads * shape.v_channels)};
}

Result<Checked> CheckAttention(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const int64_t tokens : {1, 9, 40}) {
    const AttentionShape shape = Mla(2);
    const Qkv in = DrawQkv(draw, shape, tokens);
    const auto d = DrawNormal(draw, static_cast<int64_t>(in.v.size()));
    Note(checked, "attention", Widen(fast::Attention(in.q, in.k, in.v, shape).out),
         Widen(Attention(in.q, in.k, in.v, shape).out));
    const auto is = fast::AttentionInputGradient(in.q, in.k, in.v, d, shape);
    const auto should = AttentionInputGradient(in.q, in.k, in.v, d, shape);
    Note(checked, "attention of q", Widen(is.dq), Widen(should.dq));
    Note(checked, "attention of k", Widen(is.dk), Widen(should.dk));
    Note(checked, "attention of v", Widen(is.dv), Widen(should.dv));
  }
  return checked;
}

Result<Trial> AttentionTrial(const Shape& at, int) {
  const int64_t tokens = At(at, "sequence");
  const AttentionShape shape = Mla(At(at, "heads"));
  Draw draw(1);
  const auto inputs = std::make_shared<const Qkv>(DrawQkv(draw, shape, tokens));
  const Qkv& in = *inputs;
  const double pairs = static_cast<double>(tokens * (tokens + 1) / 2 * shape.heads);
  const int64_t bytes = 4 * static_cast<int64_t>(in.q.size() + in.k.size() + 2 * in.v.size());
  return Trial{OnCpu([=] { (void)fast::Attention(inputs->q, inputs->k, inputs->v, shape); }),
               OnCpu([=] { (void)Attention(inputs->q, inputs->k, inputs->v, shape); }),
               Flops(2 * pairs * (192 + 128)), Bytes(bytes)};
}

// Sums in double.
std::vector<double> Product(const std::vector<float>& x, const std::vector<float>& w, int64_t in) {
  std::vector<double> y;
  const auto width = static_cast<size_t>(in);
  for (size_t t = 0; t < x.size(); t += width) {
    for (size_t o = 0; o < w.size(); o += width) {
      double sum = 0;
      for (size_t i = 0; i < width; ++i) sum += double{x[t + i]} * double{w[o + i]};
      y.push_back(sum);
    }
  }
  return y;
}

Result<Checked> CheckLinear(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const auto& [tokens, in, out] : {std::tuple{1, 1, 1}, {9, 130, 33}, {32, 64, 48}}) {
    const auto x = DrawNormal(draw, tokens * in), w = DrawNormal(draw, out * in);
    Note(checked, "linear", Widen(fast::Linear(x, w, in)), Product(x, w, in));
  }
  return checked;
}

Result<Trial> LinearTrial(const Shape& shape, int) {
  const int64_t m = At(shape, "m"), n = At(shape, "n"), k = At(shape, "k");
  Draw draw(1);
  auto x = DrawNormal(draw, m * k), w = DrawNormal(draw, n * k);
  const auto run = [x = std::move(x), w = std::move(w), k] { (void)fast::Linear(x, w, k); };
  const double flops = 2 * static_cast<double>(m * n) * static_cast<double>(k);
  return Trial{OnCpu(run), {}, Flops(flops), Bytes(4 * (m * k + n * k + m * n))};
}

}  // namespace

std::vector<Op> CpuBlasOps() {
  Op attention = {.name = "attention_fast",
                  .backend = "fast",
                  .truth = "the truth in double",
                  .baseline = "the truth",
                  .kind = measured::Kind::kAttention,
                  .pass = measured::Pass::kForward,
                  .format = measured::Format::kFp32,
                  .shapes = {{{"batch", 1},
                              {"sequence", 128},
                              {"heads", 4},
                              {"key_heads", 4},
                              {"qk_dim", 192},
                              {"v_dim", 128}}},
                  .sizes = {{"sequence"}, {"heads", 1, "key_heads"}},
                  .check = CheckAttention,
                  .trial = AttentionTrial};
  Op linear = {.name = "linear_fast",
               .backend = "fast",
               .truth = "sums in double",
               .kind = measured::Kind::kGemm,
               .pass = measured::Pass::kForward,
               .format = measured::Format::kFp32,
               .shapes = {{{"groups", 1}, {"m", 256}, {"n", 512}, {"k", 1024}}},
               .sizes = {{"m"}, {"n"}, {"k"}},
               .check = CheckLinear,
               .trial = LinearTrial};
  return {attention, linear};
}

}  // namespace pipescope::kernels::bench
