#include <limits>

#include "kernels/train/adamw.h"
#include "kernels/train/attention.h"
#include "kernels/train/cuda/attention_cuda.h"
#include "kernels/train/cuda/train_check.cuh"
#include "kernels/train/embedding.h"
#include "kernels/train/mtp.h"
#include "kernels/train/permute.h"

namespace pipescope::kernels::cuda {
namespace {

struct Experts : Checks {
  using Checks::Checks;
  void Run() {
    constexpr int64_t kTokens = 700, kSelected = 6;
    std::uniform_int_distribution<int32_t> expert(-1, 14);
    std::vector<int32_t> chosen(kTokens * kSelected);
    for (int32_t& e : chosen) e = expert(random_);
    const Permutation by = MakePermutation(chosen, kSelected, 16, 128);  // expert 15 is empty
    const Values x = Draw(kTokens * kColumns), rows = Draw(by.rows() * kColumns);
    const Values weights = Draw(kTokens * kSelected);
    std::vector<int64_t> from(by.slots);
    for (int64_t& slot : from) slot = slot < 0 ? -1 : slot / kSelected;
    OnGpu<Bf16> gx(Encoded(x)), grows(Encoded(rows)), permuted(rows.size()), y(x.size());
    OnGpu<Bf16> dx(x.size());
    OnGpu<Bf16> d_rows(Encoded(Values(rows.size())));
    OnGpu<int64_t> gfrom(from), rows_of(by.rows_of);
    OnGpu<float> gweights(weights), d_weights(Values(weights.size()));
    const Size size{kTokens, kColumns};
    Try(Gather(gx.data(), gfrom.data(), permuted.data(), {by.rows(), kColumns}, nullptr));
    Try(SumOfRows(grows.data(), rows_of.data(), gweights.data(), kSelected, y.data(), size,
                  nullptr));
    Try(SumOfRows(grows.data(), rows_of.data(), nullptr, kSelected, dx.data(), size, nullptr));
    Try(UnpermuteGradient(grows.data(), gx.data(), gweights.data(), rows_of.data(), kSelected,
                          d_rows.data(), d_weights.data(), kTokens * kSelected, kColumns, nullptr));
    Add("permute", permuted, Permute(x, by, kColumns));
    Add("permute_input_grad", dx, PermuteInputGradient(rows, by, kColumns));
    Add("unpermute", y, Unpermute(rows, weights, by, kColumns));
    Add("unpermute_input_grad", d_rows, UnpermuteInputGradient(x, weights, by, kColumns));
    Add("unpermute_input_grad", d_weights, UnpermuteWeightGradient(x, rows, by, kColumns));
  }
};

struct Table : Checks {
  using Checks::Checks;
  void Run() {
    constexpr int64_t kVocabulary = 513;
    std::uniform_int_distribution<int32_t> token(0, kVocabulary - 2);  // the last never occurs
    std::vector<int32_t> tokens(kRows), positions(kRows);
    for (int32_t& t : tokens) t = token(random_);
    for (int64_t i = 0; i < kRows; ++i) positions[static_cast<size_t>(i)] = static_cast<int32_t>(i);
    const auto of = [&](int32_t p) { return tokens[static_cast<size_t>(p)]; };
    std::stable_sort(positions.begin(), positions.end(),
                     [&](int32_t a, int32_t b) { return of(a) < of(b); });
    std::vector<int64_t> begins;
    for (int32_t v = 0; v <= kVocabulary; ++v) {
      begins.push_back(std::partition_point(positions.begin(), positions.end(),
                                            [&](int32_t p) { return of(p) < v; }) -
                       positions.begin());
    }
    const Values dy = Draw(kRows * kColumns), table = Draw(kVocabulary * kColumns);
    OnGpu<Bf16> gdy(Encoded(dy)), gtable(Encoded(table)), y(dy.size());
    OnGpu<int64_t> from(std::vector<int64_t>(tokens.begin(), tokens.end()));
    Try(Gather(gtable.data(), from.data(), y.data(), {kRows, kColumns}, nullptr));
    Add("embedding", y, Embedding(table, tokens, kColumns));
    OnGpu<int32_t> gpositions(positions);
    OnGpu<int64_t> gbegins(begins);
    OnGpu<float> d_table(static_cast<size_t>(kVocabulary * kColumns));
    Try(EmbeddingGradient(gdy.data(), gpositions.data(), gbegins.data(), d_table.data(),
                          {kVocabulary, kColumns}, nullptr));
    Add("embedding_grad", d_table, EmbeddingWeightGradient(tokens, dy, kVocabulary, kColumns));
  }
};

struct Optimizer : Checks {
  using Checks::Checks;
  void Run() {
    constexpr int64_t kCount = 1 << 20;
    const kernels::AdamW adamw{0.01, 0.9, 0.95, 1e-8, 0.1};
    Values truth = Draw(kCount);
    const Values gradient = Draw(kCount);
    OnGpu<float> weights(truth), g(gradient);
    std::vector<uint16_t> m(kCount), v(kCount);
    OnGpu<Bf16> gm(Encoded(Values(kCount))), gv(Encoded(Values(kCount))), copy(kCount);
    AdamWStep(adamw, 1, gradient, truth, m, v);
    Try(AdamW({0.01F, 0.9F, 0.95F, 1e-8F, 0.1F, 0.1F, 0.05F}, g.data(), weights.data(), gm.data(),
              gv.data(), copy.data(), kCount, nullptr));
    Add("adamw", weights, truth);
    Add("adamw", copy, truth);
  }
};

struct Residual : Checks {
  using Checks::Checks;
  void Run() {
    const Values a = Draw(kRows * kColumns), b = Draw(kRows * kColumns);
    OnGpu<Bf16> ga(Encoded(a)), gb(Encoded(b)), y(a.size());
    Try(cuda::Add(ga.data(), gb.data(), y.data(), {kRows, kColumns}, nullptr));
    Values sum = a;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += b[i];
    Add("residual", y, sum);
  }
};

struct Mtp : Checks {
  using Checks::Checks;
  void Run() {
    const Values h = Draw(kRows * kColumns), e = Draw(kRows * kColumns);
    const Values wh = Draw(kColumns), we = Draw(kColumns), dy = Draw(2 * kRows * kColumns);
    OnGpu<Bf16> gh(Encoded(h)), ge(Encoded(e)), gdy(Encoded(dy));
    OnGpu<Bf16> y(dy.size()), dh(h.size()), de(e.size());
    OnGpu<float> gwh(wh), gwe(we), rh(kRows), re(kRows), dwh(kColumns), dwe(kColumns);
    OnGpu<float> partial(static_cast<size_t>(RmsNormParts(kRows) * kColumns));
    const device::MtpArrays<Bf16> in = {gh.data(), ge.data(), gwh.data(), gwe.data()};
    const Size size{kRows, kColumns};
    Try(MtpJoin(in, y.data(), size, kEpsilon, nullptr));
    Try(MtpJoinInputGradient(in, gdy.data(), {dh.data(), de.data(), rh.data(), re.data()}, size,
                             kEpsilon, nullptr));
    Try(RmsNormWeightGradient(gh.data(), gdy.data(), rh.data(), partial.data(), dwh.data(), size,
                              nullptr, 2 * kColumns));
    Try(RmsNormWeightGradient(ge.data(), gdy.data() + kColumns, re.data(), partial.data(),
                              dwe.data(), size, nullptr, 2 * kColumns));
    const MtpInput truth = {h, e, wh, we};
    Add("mtp_join", y, kernels::MtpJoin(truth));
    const MtpGradients d = kernels::MtpJoinInputGradient(truth, dy);
    Add("mtp_join_input_grad", dh, d.dh);
    Add("mtp_join_input_grad", de, d.de);
    const MtpWeightGradients dw = MtpJoinWeightGradient(truth, dy);
    Add("mtp_join_weight_grad", dwh, dw.h);
    Add("mtp_join_weight_grad", dwe, dw.e);
  }
};

struct AttentionChecks : Checks {
  using Checks::Checks;
  // Tails, queries that see nothing, shared key heads, windows, both widths.
  void Run() {
    Try(One({192, 128}, {200, 200, 3, 3, kNoWindow, true, 0.07F}));
    Try(One({192, 128}, {150, 150, 4, 2, 40, true, 0.07F}));
    Try(One({128, 128}, {70, 190, 2, 1, kNoWindow, true, 0.09F}));
    Try(One({128, 128}, {90, 33, 2, 2, kNoWindow, true, 0.09F}));
    Try(One({192, 128}, {65, 129, 2, 2, kNoWindow, false, 0.07F}));
  }

  Status One(AttentionWidth width, const device::AttentionSizes& s) {
    const int64_t rows_q = s.queries * s.heads, rows_k = s.keys * s.kv_heads;
    const Values q = Draw(rows_q * width.qk), k = Draw(rows_k * width.qk);
    const Values v = Draw(rows_k * width.v), d = Draw(rows_q * width.v);
    OnGpu<Bf16> gq(Encoded(q)), gk(Encoded(k)), gv(Encoded(v)), gd(Encoded(d)), out(d.size());
    OnGpu<Bf16> dq(q.size()), dk(k.size()), dv(v.size());
    OnGpu<float> log_sums(static_cast<size_t>(rows_q)), along(static_cast<size_t>(rows_q));
    const device::AttentionInput in = {s, gq.data(), gk.data(), gv.data()};
    auto ok = cuda::Attention(in, width, out.data(), log_sums.data(), nullptr);
    if (!ok) return ok;
    ok = cuda::AttentionInputGradient(
        {in, out.data(), gd.data(), log_sums.data(), along.data(), dq.data(), dk.data(), dv.data()},
        width, nullptr);
    if (!ok) return ok;
    const AttentionShape shape = {s.heads,         s.kv_heads, width.qk, width.v,
                                  double{s.scale}, s.causal,   s.window};
    Add("attention", out, kernels::Attention(q, k, v, shape).out);
    const AttentionGradients truth = kernels::AttentionInputGradient(q, k, v, d, shape);
    Add("attention_input_grad", dq, truth.dq);
    Add("attention_input_grad", dk, truth.dk);
    Add("attention_input_grad", dv, truth.dv);
    return {};
  }
};

}  // namespace

std::vector<CheckGroup> RowChecks() {
  return {{"permute", RunGroup<Experts>}, {"embedding", RunGroup<Table>},
          {"adamw", RunGroup<Optimizer>}, {"residual", RunGroup<Residual>},
          {"mtp_join", RunGroup<Mtp>},    {"attention", RunGroup<AttentionChecks>}};
}

}  // namespace pipescope::kernels::cuda
