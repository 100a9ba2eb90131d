// The router for GPUs; what it computes and in which order it prefers is kernels/train/router.h's.
//
// A block a token. Places are found by counting: an expert's place among its group, its group's
// among the groups and its own among the experts that remain is how many come before it, larger or
// equal with a smaller index. So there is no order of reductions to depend on, and all experts work
// at once: E^2 / lanes comparisons a token, 256 for DeepSeek-V3's 256 experts on 256 lanes.
// Scores are FP32: experts whose scores differ by less than 1e-7 may be taken for equal.
#pragma once

#include "kernels/train/device/block.h"

namespace pipescope::kernels::device {

inline constexpr int kMostExperts = 512, kMostGroups = 64, kMostSelected = 32;

struct RouterShape {
  int experts = 1, selected = 1, groups = 1, groups_selected = 1, group_best = 1;
  bool sigmoid = true;  // else softmax
  bool normalised = true;
  float scale = 1;
};

// What a block's lanes share.
struct RouterScratch {
  float score[kMostExperts];   // s
  float biased[kMostExperts];  // b
  float best[kMostExperts];    // [groups][group_best], largest first
  float group[kMostGroups];
  bool open[kMostGroups];
  int chosen[kMostSelected];
};

// Larger first, then the smaller index; NaN last.
PIPESCOPE_BOTH bool Before(float a, int i, float b, int j) {
  const float x = a == a ? a : -INFINITY, y = b == b ? b : -INFINITY;
  return x > y || (x == y && i < j);
}

template <class Block>
PIPESCOPE_BOTH void RouterScores(Block& block, const float* logits, const RouterShape& shape,
                                 RouterScratch& at) {
  float largest = -INFINITY, sum = 0;
  if (!shape.sigmoid) {
    for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
      largest = fmaxf(largest, logits[e]);
    }
    largest = block.Max(largest);
  }
  for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
    const float z = logits[e];
    at.score[e] = shape.sigmoid ? 1.0F / (1.0F + expf(-z)) : expf(z - largest);
    sum += at.score[e];
  }
  if (!shape.sigmoid) {
    sum = block.Sum(sum);
    for (int e = block.lane(); e < shape.experts; e += block.lanes()) at.score[e] /= sum;
  }
  block.Sync();
}

template <class Block>
PIPESCOPE_BOTH void OpenGroups(Block& block, const RouterShape& shape, RouterScratch& at) {
  const int size = shape.experts / shape.groups;
  for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
    const int group = e / size;
    int place = 0;
    for (int j = group * size; j < (group + 1) * size; ++j) {
      place += Before(at.biased[j], j, at.biased[e], e) ? 1 : 0;
    }
    if (place < shape.group_best) at.best[group * shape.group_best + place] = at.biased[e];
  }
  block.Sync();
  for (int g = block.lane(); g < shape.groups; g += block.lanes()) {
    float sum = 0;
    for (int k = 0; k < shape.group_best; ++k) sum += at.best[g * shape.group_best + k];
    at.group[g] = sum;
  }
  block.Sync();
  for (int g = block.lane(); g < shape.groups; g += block.lanes()) {
    int place = 0;
    for (int j = 0; j < shape.groups; ++j) place += Before(at.group[j], j, at.group[g], g) ? 1 : 0;
    at.open[g] = place < shape.groups_selected;
  }
  block.Sync();
}

// `bias` may be null.
template <class Block>
PIPESCOPE_BOTH void RouteToken(Block& block, const float* logits, const float* bias,
                               const RouterShape& shape, RouterScratch& at, int32_t* experts,
                               float* weights) {
  RouterScores(block, logits, shape, at);
  for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
    at.biased[e] = at.score[e] + (bias == nullptr ? 0.0F : bias[e]);
  }
  block.Sync();
  OpenGroups(block, shape, at);
  const int size = shape.experts / shape.groups;
  for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
    if (!at.open[e / size]) continue;
    int place = 0;
    for (int j = 0; j < shape.experts; ++j) {
      place += at.open[j / size] && Before(at.biased[j], j, at.biased[e], e) ? 1 : 0;
    }
    if (place < shape.selected) at.chosen[place] = e;
  }
  block.Sync();
  float divisor = 1e-20F;
  for (int k = 0; k < shape.selected; ++k) divisor += at.score[at.chosen[k]];
  for (int k = block.lane(); k < shape.selected; k += block.lanes()) {
    experts[k] = at.chosen[k];
    weights[k] = shape.scale * at.score[at.chosen[k]] / (shape.normalised ? divisor : 1.0F);
  }
  block.Sync();  // before the next token's scores
}

// The gradient of a token's logits.
template <class Block>
PIPESCOPE_BOTH void RouteInputGradientToken(Block& block, const float* logits,
                                            const int32_t* experts, const float* d_weights,
                                            const RouterShape& shape, RouterScratch& at,
                                            float* d_logits) {
  RouterScores(block, logits, shape, at);
  float divisor = shape.normalised ? 1e-20F : 1.0F, shared = 0, along = 0;
  for (int k = 0; k < shape.selected && shape.normalised; ++k) divisor += at.score[experts[k]];
  for (int k = 0; k < shape.selected && shape.normalised; ++k) {
    shared += d_weights[k] * at.score[experts[k]] / divisor;
  }
  const auto of_score = [&](int k) { return shape.scale * (d_weights[k] - shared) / divisor; };
  for (int k = 0; k < shape.selected; ++k) along += of_score(k) * at.score[experts[k]];
  for (int e = block.lane(); e < shape.experts; e += block.lanes()) {
    float ds = 0;
    for (int k = 0; k < shape.selected; ++k) ds = experts[k] == e ? of_score(k) : ds;
    d_logits[e] = at.score[e] * (shape.sigmoid ? ds * (1 - at.score[e]) : ds - along);
  }
  block.Sync();
}

}  // namespace pipescope::kernels::device
