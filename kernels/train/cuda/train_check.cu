#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>

#include "kernels/train/adamw.h"
#include "kernels/train/bf16.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/cuda/train_check.h"
#include "kernels/train/cuda/train_cuda.h"
#include "kernels/train/embedding.h"
#include "kernels/train/permute.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"
#include "kernels/train/router.h"
#include "kernels/train/swiglu.h"

namespace pipescope::kernels::cuda {
namespace {

using Values = std::vector<float>;

constexpr float kEpsilon = 1e-6F;
constexpr double kBf16Allowed = 2e-5, kFp32Allowed = 1e-9;

// Memory of the GPU with a copy of `host`, or poisoned.
template <class T>
class OnGpu {
 public:
  explicit OnGpu(const std::vector<T>& host) : count_(host.size()) {
    Allocate();
    cudaMemcpy(data_, host.data(), bytes(), cudaMemcpyHostToDevice);
  }
  explicit OnGpu(size_t count) : count_(count) {  // 0xff is NaN in BF16 and FP32
    Allocate();
    cudaMemset(data_, 0xff, bytes());
  }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;
  ~OnGpu() { cudaFree(data_); }

  T* data() { return data_; }
  std::vector<T> Back() const {
    std::vector<T> host(count_);
    cudaMemcpy(host.data(), data_, bytes(), cudaMemcpyDeviceToHost);
    return host;
  }

 private:
  void Allocate() {
    if (cudaMalloc(&data_, bytes()) != cudaSuccess) data_ = nullptr;
  }
  size_t bytes() const { return count_ * sizeof(T); }

  T* data_ = nullptr;
  size_t count_;
};

std::vector<Bf16> Encoded(const Values& values) {
  std::vector<Bf16> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) codes[i].code = EncodeBf16(values[i]);
  return codes;
}

Values Decoded(const std::vector<Bf16>& codes) {
  Values values(codes.size());
  for (size_t i = 0; i < codes.size(); ++i) values[i] = DecodeBf16(codes[i].code);
  return values;
}

double Difference(const Values& x, const Values& y) {
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += double{x[i]} * x[i];
    yy += double{y[i]} * y[i];
    xy += double{x[i]} * y[i];
  }
  return xx + yy == 0 ? 0 : 1 - 2 * xy / (xx + yy);
}

class Checks {
 public:
  explicit Checks(uint32_t seed) : random_(seed) {}

  Result<std::vector<TrainCheck>> Run() {
    Norm();
    Activation();
    Rotary();
    Choice();
    Loss();
    Experts();
    Table();
    Optimizer();
    if (!status_) return Fail(status_.error());
    return std::move(checks_);
  }

 private:
  static constexpr int64_t kRows = 1333, kColumns = 1544;  // 193 packs: lanes without work

  Values Draw(int64_t count, float scale = 1) {
    std::normal_distribution<float> value(0, scale);
    Values values(static_cast<size_t>(count));
    for (float& v : values) v = DecodeBf16(EncodeBf16(value(random_)));
    return values;
  }

  void Try(Status status) {
    if (status_ && !status) status_ = std::move(status);
    const cudaError_t error = cudaDeviceSynchronize();
    if (status_ && error != cudaSuccess) status_ = Fail(cudaGetErrorString(error));
  }
  void Add(const char* operation, const OnGpu<Bf16>& got, const Values& truth) {
    checks_.push_back({operation, Difference(Decoded(got.Back()), truth), kBf16Allowed});
  }
  void Add(const char* operation, const OnGpu<float>& got, const Values& truth) {
    checks_.push_back({operation, Difference(got.Back(), truth), kFp32Allowed});
  }

  void Norm() {
    const Values x = Draw(kRows * kColumns), w = Draw(kColumns), dy = Draw(kRows * kColumns);
    OnGpu<Bf16> gx(Encoded(x)), gdy(Encoded(dy)), y(x.size()), dx(x.size());
    OnGpu<float> gw(w), inverse(kRows), dw(kColumns);
    OnGpu<float> partial(static_cast<size_t>(RmsNormParts(kRows) * kColumns));
    const Size size{kRows, kColumns};
    Try(RmsNorm(gx.data(), gw.data(), y.data(), size, kEpsilon, nullptr));
    Try(RmsNormInputGradient(gx.data(), gw.data(), gdy.data(), dx.data(), inverse.data(), size,
                             kEpsilon, nullptr));
    Try(RmsNormWeightGradient(gx.data(), gdy.data(), inverse.data(), partial.data(), dw.data(),
                              size, nullptr));
    Add("RMSNorm", y, kernels::RmsNorm(x, w));
    Add("RMSNorm's input gradient", dx, kernels::RmsNormInputGradient(x, w, dy));
    Add("RMSNorm's weight gradient", dw, kernels::RmsNormWeightGradient(x, dy, kColumns));
  }

  void Activation() {
    const Values x = Draw(2 * kRows * kColumns, 3), dy = Draw(kRows * kColumns);
    OnGpu<Bf16> gx(Encoded(x)), gdy(Encoded(dy)), y(dy.size()), again(dy.size()), dx(x.size());
    const Size size{kRows, kColumns};
    Try(SwiGlu(gx.data(), y.data(), size, nullptr));
    Try(SwiGluInputGradient(gx.data(), gdy.data(), dx.data(), again.data(), size, nullptr));
    Add("SwiGLU", y, kernels::SwiGlu(x, kColumns));
    Add("SwiGLU again", again, kernels::SwiGlu(x, kColumns));
    Add("SwiGLU's input gradient", dx, kernels::SwiGluInputGradient(x, dy, kColumns));
  }

  void Rotary() {
    const RopeShape shape{7, 192, 64};
    const int64_t width = shape.heads * shape.channels;
    const Values x = Draw(kRows * width);
    std::vector<int64_t> positions(kRows);
    for (int64_t t = 0; t < kRows; ++t) positions[static_cast<size_t>(t)] = t * 13;
    const auto frequencies = RopeFrequencies(shape.rotary);
    std::vector<device::Turn> turns;
    for (const int64_t p : positions) {
      for (const double f : frequencies) {
        const double angle = static_cast<double>(p) * f;
        turns.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
      }
    }
    OnGpu<Bf16> gx(Encoded(x)), y(x.size()), back(x.size());
    OnGpu<device::Turn> table(turns);
    const RopeSize size{kRows, shape.heads, shape.channels, shape.rotary};
    Try(Rope(gx.data(), y.data(), table.data(), 1, size, nullptr));
    Try(Rope(gx.data(), back.data(), table.data(), -1, size, nullptr));
    Add("RoPE", y, kernels::Rope(x, positions, frequencies, shape));
    Add("RoPE's input gradient", back, RopeInputGradient(x, positions, frequencies, shape));
  }

  void Choice() {
    constexpr int64_t kTokens = 997;
    const RouterConfig config{256, 8, 8, 4, 2, Scoring::kSigmoid, true, 2.5};
    const Values z = Draw(kTokens * config.experts), bias = Draw(config.experts, 0.01F);
    const Values d = Draw(kTokens * config.selected);
    const Routes routes = kernels::Route(z, bias, config);
    OnGpu<float> gz(z), gbias(bias), gd(d), weights(d.size()), dz(z.size());
    OnGpu<int32_t> experts(d.size()), chosen(routes.experts);
    const device::RouterShape shape{256, 8, 8, 4, 2, true, true, 2.5F};
    Try(Route(gz.data(), gbias.data(), shape, experts.data(), weights.data(), kTokens, nullptr));
    Try(RouteInputGradient(gz.data(), chosen.data(), gd.data(), shape, dz.data(), kTokens,
                           nullptr));
    const std::vector<int32_t> got = experts.Back();
    double apart = 0;  // choices that FP32 cannot tell apart are few
    for (size_t i = 0; i < got.size(); ++i) apart += got[i] != routes.experts[i] ? 1 : 0;
    checks_.push_back({"router's choice", apart / static_cast<double>(got.size()), 1e-3});
    checks_.push_back({"router's weights", Difference(weights.Back(), routes.weights), 1e-6});
    Add("router's input gradient", dz, kernels::RouteInputGradient(z, routes.experts, d, config));
  }

  void Loss() {
    constexpr int64_t kTokens = 37, kVocabulary = 12808;
    const Values z = Draw(kTokens * kVocabulary, 4), d = Draw(kTokens);
    std::vector<int32_t> targets(kTokens);
    for (int32_t t = 0; t < kTokens; ++t)
      targets[static_cast<size_t>(t)] = t % 5 == 4 ? kNoTarget : t * 331;
    OnGpu<Bf16> logits(Encoded(z));
    OnGpu<int32_t> gt(targets);
    OnGpu<float> gd(d), losses(kTokens);
    Try(CrossEntropy(logits.data(), gt.data(), gd.data(), true, losses.data(),
                     {kTokens, kVocabulary}, nullptr));
    Add("cross-entropy", losses, kernels::CrossEntropy(z, targets, kVocabulary));
    Add("cross-entropy's input gradient", logits,
        CrossEntropyInputGradient(z, targets, d, kVocabulary));
  }

  void Experts() {
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
    OnGpu<Bf16> d_rows(Encoded(Values(rows.size())));
    OnGpu<int64_t> gfrom(from), rows_of(by.rows_of);
    OnGpu<float> gweights(weights), d_weights(Values(weights.size()));
    const Size size{kTokens, kColumns};
    Try(Gather(gx.data(), gfrom.data(), permuted.data(), {by.rows(), kColumns}, nullptr));
    Try(SumOfRows(grows.data(), rows_of.data(), gweights.data(), kSelected, y.data(), size,
                  nullptr));
    Try(UnpermuteGradient(grows.data(), gx.data(), gweights.data(), rows_of.data(), kSelected,
                          d_rows.data(), d_weights.data(), kTokens * kSelected, kColumns, nullptr));
    Add("permute", permuted, Permute(x, by, kColumns));
    Add("unpermute", y, Unpermute(rows, weights, by, kColumns));
    Add("unpermute's input gradient", d_rows, UnpermuteInputGradient(x, weights, by, kColumns));
    Add("unpermute's weight gradient", d_weights, UnpermuteWeightGradient(x, rows, by, kColumns));
  }

  void Table() {
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
    const Values dy = Draw(kRows * kColumns);
    OnGpu<Bf16> gdy(Encoded(dy));
    OnGpu<int32_t> gpositions(positions);
    OnGpu<int64_t> gbegins(begins);
    OnGpu<float> d_table(static_cast<size_t>(kVocabulary * kColumns));
    Try(EmbeddingGradient(gdy.data(), gpositions.data(), gbegins.data(), d_table.data(),
                          {kVocabulary, kColumns}, nullptr));
    Add("embedding's gradient", d_table,
        EmbeddingWeightGradient(tokens, dy, kVocabulary, kColumns));
  }

  void Optimizer() {
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
    Add("AdamW", weights, truth);
    Add("AdamW's copy", copy, truth);
  }

  std::mt19937 random_;
  Status status_;
  std::vector<TrainCheck> checks_;
};

}  // namespace

Result<std::vector<TrainCheck>> CheckTrainOnGpu(uint32_t seed) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return Fail(cudaGetErrorString(error));
  if (count == 0) return Fail("no GPU");
  return Checks(seed).Run();
}

}  // namespace pipescope::kernels::cuda
