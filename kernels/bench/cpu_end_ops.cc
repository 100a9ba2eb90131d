#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/bench/adjoint.h"
#include "kernels/bench/cpu_ops.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/train/adamw.h"
#include "kernels/train/bf16.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/embedding.h"
#include "kernels/train/permute.h"
#include "kernels/train/router.h"

namespace pipescope::kernels::bench {
namespace {

using Span = std::span<const float>;

constexpr double kLimit = 1e-5;  // of differences of floats, as in cpu_train_ops.cc

constexpr RouterConfig kV3Router = {.experts = 256,
                                    .selected = 8,
                                    .groups = 8,
                                    .groups_selected = 4,
                                    .group_best = 2,
                                    .scale = 2.5};

std::vector<int32_t> DrawIds(Draw& draw, int64_t count, int64_t least, int64_t end) {
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<int32_t>(least + draw.Below(end - least)));
  }
  return ids;
}

Result<Checked> CheckLoss(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const int64_t vocabulary : {2, 33, 500}) {
    auto targets = DrawIds(draw, 6, 0, vocabulary);
    targets[2] = kNoTarget;
    NoteGradient(
        checked, "cross_entropy", draw, DrawNormal(draw, 6 * vocabulary, 3),
        [&](Span z) { return CrossEntropy(z, targets, vocabulary); },
        [&](Span z, Span d) { return CrossEntropyInputGradient(z, targets, d, vocabulary); });
  }
  return checked;
}

Result<Checked> CheckEmbedding(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  const auto tokens = DrawIds(draw, 40, 0, 17);
  NoteGradient(
      checked, "embedding", draw, DrawNormal(draw, 17 * 5),
      [&](Span table) { return Embedding(table, tokens, 5); },
      [&](Span, Span dy) { return EmbeddingWeightGradient(tokens, dy, 17, 5); });
  return checked;
}

Result<Checked> CheckPermute(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  for (const int64_t experts : {1, 5, 64}) {  // of 64 most are empty
    const auto chosen = DrawIds(draw, 20 * 3, -1, experts);
    const Permutation by = MakePermutation(chosen, 3, experts, 8);
    const auto x = DrawNormal(draw, 20 * 6), rows = DrawNormal(draw, by.rows() * 6);
    const auto weights = DrawNormal(draw, 20 * 3);
    NoteGradient(
        checked, "permute", draw, x, [&](Span at) { return Permute(at, by, 6); },
        [&](Span, Span d) { return PermuteInputGradient(d, by, 6); });
    NoteGradient(
        checked, "unpermute of rows", draw, rows,
        [&](Span at) { return Unpermute(at, weights, by, 6); },
        [&](Span, Span d) { return UnpermuteInputGradient(d, weights, by, 6); });
    NoteGradient(
        checked, "unpermute of weights", draw, weights,
        [&](Span at) { return Unpermute(rows, at, by, 6); },
        [&](Span, Span d) { return UnpermuteWeightGradient(d, rows, by, 6); });
  }
  return checked;
}

// The weights of 50 tokens' 8 experts, which stay chosen whatever the logits: sigmoids that add up
// to the scale.
std::vector<float> WeightsOfChosen(Span logits, std::span<const int32_t> experts) {
  std::vector<float> weights;
  for (size_t t = 0; t < 50; ++t) {
    double all = 1e-20;
    for (size_t k = 8 * t; k < 8 * t + 8; ++k) {
      const float z = logits[256 * t + static_cast<size_t>(experts[k])];
      weights.push_back(static_cast<float>(1 / (1 + std::exp(-double{z}))));
      all += double{weights.back()};
    }
    for (size_t k = 8 * t; k < 8 * t + 8; ++k) {
      weights[k] = static_cast<float>(2.5 * double{weights[k]} / all);
    }
  }
  return weights;
}

// The chosen experts are different, of at most four groups, and their weights add up to the scale.
Result<Checked> CheckRouter(uint64_t seed) {
  Checked checked = {.limit = kLimit};
  Draw draw(seed);
  const auto logits = DrawNormal(draw, 50 * 256), bias = DrawNormal(draw, 256, 0.1F);
  const Routes routes = Route(logits, bias, kV3Router);
  bool different = true, grouped = true;
  std::vector<double> sums;
  for (size_t t = 0; t < 50; ++t) {
    std::set<int32_t> experts, groups;
    double sum = 0;
    for (size_t k = 8 * t; k < 8 * t + 8; ++k) {
      experts.insert(routes.experts[k]);
      groups.insert(routes.experts[k] / 32);
      sum += double{routes.weights[k]};
    }
    sums.push_back(sum);
    different &= experts.size() == 8;
    grouped &= groups.size() <= 4;
  }
  NoteTrue(checked, "router: an expert chosen twice", different);
  NoteTrue(checked, "router: more groups than may be", grouped);
  Note(checked, "router: sums of weights", sums, std::vector<double>(50, 2.5));
  // Away from ties the choice stays, and the weights have a derivative.
  const auto weights_at = [&](Span at) { return WeightsOfChosen(at, routes.experts); };
  Note(checked, "router: weights", Widen(routes.weights), Widen(weights_at(logits)));
  NoteGradient(checked, "router", draw, logits, weights_at, [&](Span at, Span d) {
    return RouteInputGradient(at, routes.experts, d, kV3Router);
  });
  return checked;
}

// The published update, written out in double, over several steps.
Result<Checked> CheckAdamW(uint64_t seed) {
  Checked checked = {.limit = 1e-9};
  Draw draw(seed);
  auto w = DrawNormal(draw, 100);
  std::vector<uint16_t> m(100, 0), v(100, 0);
  std::vector<double> truth = Widen(w), first(100, 0), second(100, 0);
  for (int step = 1; step <= 4; ++step) {
    const auto g = DrawNormal(draw, 100, 0.1F);
    for (size_t i = 0; i < 100; ++i) {
      const double d = g[i], m1 = 0.9 * first[i] + 0.1 * d, v1 = 0.95 * second[i] + 0.05 * d * d;
      const double rate =
          m1 / (1 - std::pow(0.9, step)) / (std::sqrt(v1 / (1 - std::pow(0.95, step))) + 1e-8);
      truth[i] -= 2.2e-4 * (rate + 0.1 * truth[i]);
      first[i] = DecodeBf16(EncodeBf16(static_cast<float>(m1)));
      second[i] = DecodeBf16(EncodeBf16(static_cast<float>(v1)));
    }
    AdamWStep({}, step, g, w, m, v);
    Note(checked, "adamw", Widen(w), truth);
  }
  return checked;
}

// The permutation that is timed: 8 of 4 experts a token.
constexpr int64_t kChoices = 8;
Permutation DrawPermutation(Draw& draw, int64_t tokens) {
  return MakePermutation(DrawIds(draw, tokens * kChoices, 0, 4), kChoices, 4, 128);
}

Bytes LossBytes(const Shape& s) { return Bytes(4 * At(s, "tokens") * At(s, "vocabulary")); }
Bytes EmbeddingBytes(const Shape& s) { return Bytes(8 * At(s, "tokens") * At(s, "columns")); }
Bytes RouterBytes(const Shape& s) { return Bytes(At(s, "tokens") * (4 * 256 + 8 * 8)); }
Bytes AdamWBytes(const Shape& s) { return Bytes(20 * At(s, "weights")); }
Bytes PermuteBytes(const Shape& s) {
  Draw draw(1);
  const int64_t tokens = At(s, "tokens");
  return Bytes(4 * (tokens + DrawPermutation(draw, tokens).rows()) * At(s, "columns"));
}

Result<Trial> LossTrial(const Shape& shape, int) {
  const int64_t tokens = At(shape, "tokens"), vocabulary = At(shape, "vocabulary");
  Draw draw(1);
  const auto logits = DrawNormal(draw, tokens * vocabulary);
  const auto targets = DrawIds(draw, tokens, 0, vocabulary);
  return BesideCopy([=] { (void)CrossEntropy(logits, targets, vocabulary); }, Flops(0),
                    LossBytes(shape));
}

Result<Trial> EmbeddingTrial(const Shape& shape, int) {
  const int64_t tokens = At(shape, "tokens"), columns = At(shape, "columns");
  Draw draw(1);
  const auto table = DrawNormal(draw, 1024 * columns);
  const auto ids = DrawIds(draw, tokens, 0, 1024);
  return BesideCopy([=] { (void)Embedding(table, ids, columns); }, Flops(0), EmbeddingBytes(shape));
}

Result<Trial> PermuteTrial(const Shape& shape, int) {
  const int64_t tokens = At(shape, "tokens"), columns = At(shape, "columns");
  Draw draw(1);
  const Permutation by = DrawPermutation(draw, tokens);
  const auto x = DrawNormal(draw, tokens * columns);
  return BesideCopy([=] { (void)Permute(x, by, columns); }, Flops(0), PermuteBytes(shape));
}

Result<Trial> RouterTrial(const Shape& shape, int) {
  const int64_t tokens = At(shape, "tokens");
  Draw draw(1);
  const auto logits = DrawNormal(draw, tokens * 256);
  return BesideCopy([=] { (void)Route(logits, {}, kV3Router); }, Flops(0), RouterBytes(shape));
}

Result<Trial> AdamWTrial(const Shape& shape, int) {
  const int64_t count = At(shape, "weights");
  Draw draw(1);
  const auto g = DrawNormal(draw, count);
  const std::vector<uint16_t> zeros(g.size(), 0);
  const auto run = [g, w = g, m = zeros, v = zeros]() mutable { AdamWStep({}, 1, g, w, m, v); };
  return BesideCopy(run, Flops(0), AdamWBytes(shape));
}

Op EndOp(const char* name, const char* truth, Shape shape, std::vector<Size> sizes,
         std::function<Bytes(const Shape&)> bytes, std::function<Result<Checked>(uint64_t)> check,
         std::function<Result<Trial>(const Shape&, int)> trial) {
  return {.name = name,
          .backend = "scalar",
          .truth = truth,
          .baseline = "memcpy",
          .kind = measured::Kind::kMemory,
          .format = measured::Format::kFp32,
          .shapes = {std::move(shape)},
          .sizes = std::move(sizes),
          .bytes = std::move(bytes),
          .check = std::move(check),
          .trial = std::move(trial)};
}

}  // namespace

std::vector<Op> CpuEndOps() {
  const char* differences = "differences along random directions";
  return {
      EndOp("cross_entropy", differences, {{"tokens", 8}, {"vocabulary", 32768}},
            {{"tokens"}, {"vocabulary", 64}}, LossBytes, CheckLoss, LossTrial),
      EndOp("embedding", differences, {{"tokens", 128}, {"columns", 7168}},
            {{"tokens"}, {"columns", 64}}, EmbeddingBytes, CheckEmbedding, EmbeddingTrial),
      EndOp("permute", differences, {{"tokens", 64}, {"columns", 1024}},
            {{"tokens"}, {"columns", 64}}, PermuteBytes, CheckPermute, PermuteTrial),
      EndOp("router", "its constraints and its gradient", {{"tokens", 128}}, {{"tokens"}},
            RouterBytes, CheckRouter, RouterTrial),
      EndOp("adamw", "the update written out in double", {{"weights", 1 << 18}}, {{"weights", 64}},
            AdamWBytes, CheckAdamW, AdamWTrial),
  };
}

}  // namespace pipescope::kernels::bench
