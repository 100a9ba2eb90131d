#include <cmath>
#include <numeric>
#include <string>

#include "kernels/cuda/train_arrays.cuh"
#include "kernels/cuda/work.h"
#include "kernels/train/cuda/attention_cuda.h"

namespace pipescope::kernels::cuda {
namespace {

using Launch = std::function<Status(Stream)>;
using Make = Launch (*)(const TrainCase& c, TrainArrays& a);

constexpr float kEpsilon = 1e-6F;

Launch MakeRmsNorm(const TrainCase& c, TrainArrays& a) {
  const Size size{c.tokens, c.columns};
  const int64_t n = c.tokens * c.columns;
  Bf16 *x = a.Values(n), *y = a.Values(n);
  float* w = a.Floats(c.columns);
  if (c.operation == "rms_norm") {
    return [=](Stream s) { return RmsNorm(x, w, y, size, kEpsilon, s); };
  }
  Bf16* dy = a.Values(n);
  float* inverse = a.Floats(c.tokens);
  if (c.operation == "rms_norm_input_grad") {
    return [=](Stream s) { return RmsNormInputGradient(x, w, dy, y, inverse, size, kEpsilon, s); };
  }
  float* partial = a.Floats(RmsNormParts(c.tokens) * c.columns);
  return [=](Stream s) { return RmsNormWeightGradient(x, dy, inverse, partial, w, size, s); };
}

Launch MakeMtp(const TrainCase& c, TrainArrays& a) {
  const Size size{c.tokens, c.columns};
  const int64_t n = c.tokens * c.columns;
  const device::MtpArrays<Bf16> in = {a.Values(n), a.Values(n), a.Floats(c.columns),
                                      a.Floats(c.columns)};
  Bf16* both = a.Values(2 * n);
  if (c.operation == "mtp_join") {
    return [=](Stream s) { return MtpJoin(in, both, size, kEpsilon, s); };
  }
  float *inverse_h = a.Floats(c.tokens), *inverse_e = a.Floats(c.tokens);
  if (c.operation == "mtp_join_input_grad") {
    const device::MtpGradients<Bf16> out = {a.Values(n), a.Values(n), inverse_h, inverse_e};
    return [=](Stream s) { return MtpJoinInputGradient(in, both, out, size, kEpsilon, s); };
  }
  float* partial = a.Floats(RmsNormParts(c.tokens) * c.columns);
  float *dw_h = a.Floats(c.columns), *dw_e = a.Floats(c.columns);
  return [=](Stream s) {
    const auto of_h =
        RmsNormWeightGradient(in.h, both, inverse_h, partial, dw_h, size, s, 2 * size.columns);
    if (!of_h) return of_h;
    return RmsNormWeightGradient(in.e, both + size.columns, inverse_e, partial, dw_e, size, s,
                                 2 * size.columns);
  };
}

Launch MakeSwiGlu(const TrainCase& c, TrainArrays& a) {
  const Size size{c.tokens, c.columns};
  const int64_t n = c.tokens * c.columns;
  Bf16 *x = a.Values(2 * n), *y = a.Values(n);
  if (c.operation == "swiglu") return [=](Stream s) { return SwiGlu(x, y, size, s); };
  Bf16* dx = a.Values(2 * n);
  return [=](Stream s) { return SwiGluInputGradient(x, y, dx, nullptr, size, s); };
}

// Columns are heads x channels of a token; a turn for each token's position.
Launch MakeRope(const TrainCase& c, TrainArrays& a) {
  const RopeSize size = {c.tokens, c.columns / kQkChannels, kQkChannels, kRotary};
  const int64_t n = size.tokens * size.heads * size.channels;
  std::vector<device::Turn> turns;
  for (int64_t i = 0; i < c.tokens * kRotary / 2; ++i) {
    const auto angle = static_cast<float>(i % 6283) / 1000;
    turns.push_back({std::cos(angle), std::sin(angle)});
  }
  const device::Turn* table = a.Put(turns);
  Bf16 *x = a.Values(n), *y = a.Values(n);
  const float turn = c.operation == "rope" ? 1 : -1;
  return [=](Stream s) { return Rope(x, y, table, turn, size, s); };
}

Launch MakeResidual(const TrainCase& c, TrainArrays& a) {
  const Size size{c.tokens, c.columns};
  const int64_t n = c.tokens * c.columns;
  Bf16 *x = a.Values(n), *y = a.Values(n), *sum = a.Values(n);
  return [=](Stream s) { return Add(x, y, sum, size, s); };
}

Launch MakeRouter(const TrainCase& c, TrainArrays& a) {
  const device::RouterShape shape{kExperts, kExpertsOfToken, 8, 4, 2, true, true, 2.5F};
  const int64_t tokens = c.tokens, choices = c.tokens * kExpertsOfToken;
  float *logits = a.Floats(c.tokens * kExperts), *bias = a.Floats(kExperts);
  std::vector<int32_t> chosen;
  for (int64_t i = 0; i < choices; ++i) chosen.push_back(static_cast<int32_t>(i * 37 % kExperts));
  int32_t* experts = a.Put(chosen);
  float* weights = a.Floats(choices);
  if (c.operation == "router") {
    return [=](Stream s) { return Route(logits, bias, shape, experts, weights, tokens, s); };
  }
  float* d = a.Floats(c.tokens * kExperts);
  return
      [=](Stream s) { return RouteInputGradient(logits, experts, weights, shape, d, tokens, s); };
}

Launch MakeCrossEntropy(const TrainCase& c, TrainArrays& a) {
  const Size size{c.tokens, c.columns};
  std::vector<int32_t> targets;
  for (const int64_t t : Scattered(c.tokens, c.columns)) targets.push_back(static_cast<int32_t>(t));
  const int32_t* of = a.Put(targets);
  Bf16* logits = a.Values(c.tokens * c.columns);
  float *d = a.Floats(c.tokens), *losses = a.Floats(c.tokens);
  const bool gradient = c.operation != "cross_entropy";
  return [=](Stream s) { return CrossEntropy(logits, of, d, gradient, losses, size, s); };
}

// Slots in no order: what sorting by expert makes of tokens.
Launch MakePermute(const TrainCase& c, TrainArrays& a) {
  const int64_t slots = c.tokens * kExpertsOfToken, columns = c.columns, tokens = c.tokens;
  std::vector<int64_t> row_of(static_cast<size_t>(slots)), token_of(row_of.size());
  std::iota(row_of.begin(), row_of.end(), 0);
  const auto other = Scattered(slots, slots);
  for (size_t i = 0; i < row_of.size(); ++i) {
    std::swap(row_of[i], row_of[static_cast<size_t>(other[i])]);
  }
  for (size_t i = 0; i < row_of.size(); ++i) {
    token_of[static_cast<size_t>(row_of[i])] = static_cast<int64_t>(i) / kExpertsOfToken;
  }
  const int64_t *which = a.Put(row_of), *from = a.Put(token_of);
  Bf16 *x = a.Values(tokens * columns), *rows = a.Values(slots * columns);
  float* weights = a.Floats(slots);
  constexpr int kCount = static_cast<int>(kExpertsOfToken);
  if (c.operation == "permute") {
    return [=](Stream s) { return Gather(x, from, rows, {slots, columns}, s); };
  }
  if (c.operation != "unpermute_input_grad") {
    const float* by = c.operation == "unpermute" ? weights : nullptr;
    return [=](Stream s) { return SumOfRows(rows, which, by, kCount, x, {tokens, columns}, s); };
  }
  Bf16* d_rows = a.Values(slots * columns);
  float* d_weights = a.Floats(slots);
  return [=](Stream s) {
    return UnpermuteGradient(rows, x, weights, which, kCount, d_rows, d_weights, slots, columns, s);
  };
}

Launch MakeEmbedding(const TrainCase& c, TrainArrays& a) {
  const int64_t tokens = c.tokens, columns = c.columns;
  auto ids = Scattered(tokens, kVocabulary);
  Bf16* x = a.Values(tokens * columns);
  if (c.operation == "embedding") {
    const int64_t* from = a.Put(ids);
    Bf16* table = a.Values(kVocabulary * columns);
    return [=](Stream s) { return Gather(table, from, x, {tokens, columns}, s); };
  }
  std::sort(ids.begin(), ids.end());
  std::vector<int32_t> positions(ids.size());
  std::iota(positions.begin(), positions.end(), 0);
  std::vector<int64_t> begins;
  for (int64_t v = 0, at = 0; v <= kVocabulary; ++v) {
    while (at < tokens && ids[static_cast<size_t>(at)] < v) ++at;
    begins.push_back(at);
  }
  const int32_t* sorted = a.Put(positions);
  const int64_t* begin = a.Put(begins);
  float* d_table = a.Floats(kVocabulary * columns);
  return [=](Stream s) {
    return EmbeddingGradient(x, sorted, begin, d_table, {kVocabulary, columns}, s);
  };
}

Launch MakeAdamW(const TrainCase& c, TrainArrays& a) {
  const int64_t count = c.tokens * c.columns;
  float *gradient = a.Floats(count), *weights = a.Floats(count);
  Bf16 *m = a.Values(count), *v = a.Values(count), *copy = a.Values(count);
  const device::AdamWScalars scalars = {2.2e-4F, 0.9F, 0.95F, 1e-8F, 0.1F, 0.1F, 0.05F};
  return [=](Stream s) { return AdamW(scalars, gradient, weights, m, v, copy, count, s); };
}

// The backward pass needs the forward's l and output: it runs once, before it is timed.
Launch MakeAttention(const TrainCase& c, TrainArrays& a) {
  const int64_t rows = c.tokens * c.columns;
  const device::AttentionSizes sizes = {c.tokens, c.tokens, c.columns, c.columns,
                                        c.window, true,     0.0722F};  // 1 / sqrt(192)
  const device::AttentionInput in = {sizes, a.Values(rows * kQkChannels),
                                     a.Values(rows * kQkChannels), a.Values(rows * kVChannels)};
  Bf16* out = a.Values(rows * kVChannels);
  float* log_sums = a.Floats(rows);
  const Launch forward = [=](Stream s) { return Attention(in, {}, out, log_sums, s); };
  if (c.operation == "attention" || !a.status()) return forward;
  const device::AttentionGradient g = {in,
                                       out,
                                       a.Values(rows * kVChannels),
                                       log_sums,
                                       a.Floats(rows),
                                       a.Values(rows * kQkChannels),
                                       a.Values(rows * kQkChannels),
                                       a.Values(rows * kVChannels)};
  if (auto ok = forward(nullptr); !ok) return [ok](Stream) { return ok; };
  return [=](Stream s) { return AttentionInputGradient(g, {}, s); };
}

struct Maker {
  const char* begin;  // of an operation's name
  Make make;
};

constexpr Maker kMakers[] = {
    {"rms_norm", MakeRmsNorm},    {"mtp_join", MakeMtp},
    {"swiglu", MakeSwiGlu},       {"rope", MakeRope},
    {"residual", MakeResidual},   {"router", MakeRouter},
    {"permute", MakePermute},     {"cross_entropy", MakeCrossEntropy},
    {"unpermute", MakePermute},   {"embedding", MakeEmbedding},
    {"attention", MakeAttention}, {"adamw", MakeAdamW},
};

class TrainWork : public Work {
 public:
  explicit TrainWork(int sms) : sms_(sms) {}

  Status Start(const TrainCase& c) {
    for (const Maker& maker : kMakers) {
      if (c.operation.starts_with(maker.begin)) launch_ = maker.make(c, arrays_);
    }
    if (!arrays_.status()) return arrays_.status();
    return launch_ ? Status() : Fail("'" + c.operation + "': expected a training operation");
  }
  Status Run(void* stream) override { return launch_(stream); }
  int sms() const override { return sms_; }

 private:
  const int sms_;
  TrainArrays arrays_;
  Launch launch_;
};

}  // namespace

PreparedWork PrepareTrain(const TrainCase& c) {
  if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
  const auto sms = SmsOfGpu();
  if (!sms) return Fail(sms.error());
  auto work = std::make_unique<TrainWork>(*sms);
  if (auto ok = work->Start(c); !ok) return Fail(ok.error());
  return work;
}

}  // namespace pipescope::kernels::cuda
