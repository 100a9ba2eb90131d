#include <cmath>

#include "kernels/train/cross_entropy.h"
#include "kernels/train/cuda/train_check.cuh"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"
#include "kernels/train/router.h"
#include "kernels/train/swiglu.h"

namespace pipescope::kernels::cuda {
namespace {

struct Norm : Checks {
  using Checks::Checks;
  void Run() {
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
    Add("rms_norm", y, kernels::RmsNorm(x, w));
    Add("rms_norm_input_grad", dx, kernels::RmsNormInputGradient(x, w, dy));
    Add("rms_norm_weight_grad", dw, kernels::RmsNormWeightGradient(x, dy, kColumns));
  }
};

struct Activation : Checks {
  using Checks::Checks;
  void Run() {
    const Values x = Draw(2 * kRows * kColumns, 3), dy = Draw(kRows * kColumns);
    OnGpu<Bf16> gx(Encoded(x)), gdy(Encoded(dy)), y(dy.size()), again(dy.size()), dx(x.size());
    const Size size{kRows, kColumns};
    Try(SwiGlu(gx.data(), y.data(), size, nullptr));
    Try(SwiGluInputGradient(gx.data(), gdy.data(), dx.data(), again.data(), size, nullptr));
    Add("swiglu", y, kernels::SwiGlu(x, kColumns));
    Add("swiglu_input_grad", again, kernels::SwiGlu(x, kColumns));
    Add("swiglu_input_grad", dx, kernels::SwiGluInputGradient(x, dy, kColumns));
  }
};

struct Rotary : Checks {
  using Checks::Checks;
  void Run() {
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
    Add("rope", y, kernels::Rope(x, positions, frequencies, shape));
    Add("rope_input_grad", back, RopeInputGradient(x, positions, frequencies, shape));
  }
};

struct Choice : Checks {
  using Checks::Checks;
  void Run() {
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
    checks_.push_back({"router", apart / static_cast<double>(got.size()), 1e-3});
    checks_.push_back({"router", Difference(weights.Back(), routes.weights), 1e-6});
    Add("router_input_grad", dz, kernels::RouteInputGradient(z, routes.experts, d, config));
  }
};

struct Loss : Checks {
  using Checks::Checks;
  void Run() {
    constexpr int64_t kTokens = 37, kVocabulary = 12808;
    const Values z = Draw(kTokens * kVocabulary, 4), d = Draw(kTokens);
    std::vector<int32_t> targets(kTokens);
    for (int32_t t = 0; t < kTokens; ++t)
      targets[static_cast<size_t>(t)] = t % 5 == 4 ? kNoTarget : t * 331;
    OnGpu<Bf16> logits(Encoded(z));
    OnGpu<int32_t> gt(targets);
    OnGpu<float> gd(d), losses(kTokens), alone(kTokens);
    Try(CrossEntropy(logits.data(), gt.data(), nullptr, false, alone.data(), {kTokens, kVocabulary},
                     nullptr));
    Try(CrossEntropy(logits.data(), gt.data(), gd.data(), true, losses.data(),
                     {kTokens, kVocabulary}, nullptr));
    const Values truth = kernels::CrossEntropy(z, targets, kVocabulary);
    Add("cross_entropy", alone, truth);
    Add("cross_entropy_input_grad", losses, truth);
    Add("cross_entropy_input_grad", logits, CrossEntropyInputGradient(z, targets, d, kVocabulary));
  }
};

}  // namespace

std::vector<CheckGroup> LayerChecks() {
  return {{"rms_norm", RunGroup<Norm>},
          {"swiglu", RunGroup<Activation>},
          {"rope", RunGroup<Rotary>},
          {"router", RunGroup<Choice>},
          {"cross_entropy", RunGroup<Loss>}};
}

Result<std::vector<TrainCheck>> CheckTrainOnGpu(uint32_t seed, const std::string& only) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) return Fail(cudaGetErrorString(error));
  if (count == 0) return Fail("no GPU");
  std::vector<CheckGroup> groups = LayerChecks();
  for (const CheckGroup& group : RowChecks()) groups.push_back(group);
  std::vector<TrainCheck> all;
  for (const CheckGroup& group : groups) {
    if (!only.empty() && only != group.operation) continue;
    const auto checks = group.run(seed);
    if (!checks) return Fail(checks.error());
    all.insert(all.end(), checks->begin(), checks->end());
  }
  if (all.empty()) return Fail("no operation '" + only + "' is checked on a GPU");
  return all;
}

}  // namespace pipescope::kernels::cuda
