// The model that real runs train: a small transformer in the style of DeepSeek-V3.
//
//   embedding                      rows of a table
//   layer x `layers`               x += attention(norm x);  x += mlp(norm x)
//     attention                    MLA: q and kv through low ranks, each with a norm; the rotary
//                                  part apart, its key shared by all heads; causal
//     mlp                          the first `dense_layers`: SwiGLU of `dense_hidden`; the others:
//                                  a shared expert, and `routing.selected` of `routing.experts`
//                                  chosen by the node-limited router (train/router.h)
//   MTP, where asked for           one more layer on [norm h; norm embedding of the next token],
//                                  predicts the token after; embedding and head are the model's
//   head                           norm, linear, cross-entropy of the next token
//
// Weights of one layer: q_rank (hidden + heads (nope + rotary)) + kv_rank (hidden + heads (nope +
// v)) + hidden rotary + hidden heads v for attention; 3 hidden x width for each SwiGLU.
// Example: "micro" has hidden 32: 3 x 32 x 64 = 6144 weights in a dense mlp.
// Source of the shape: arXiv 2412.19437, sections 2.1 and 2.2, and the published configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/train/router.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

struct ModelConfig {
  std::string name;
  int64_t tokens = 32;  // of a micro-batch: one sequence
  int64_t vocabulary = 32;
  int64_t hidden = 32;
  int64_t heads = 2;
  int64_t nope = 8, rotary = 4, v_channels = 8;  // channels of a head
  int64_t q_rank = 24, kv_rank = 16;
  int64_t layers = 4;
  int64_t dense_layers = 1;  // the first; as many as `layers`: no MoE
  int64_t dense_hidden = 64;
  int64_t expert_hidden = 16, shared_hidden = 16;
  kernels::RouterConfig routing = {8, 2, 4, 2, 2, kernels::Scoring::kSigmoid, true, 2.5};
  bool mtp = true;
  double mtp_weight = 0.3;  // of its loss; arXiv 2412.19437, section 4.2
  // Into how many groups experts are cut for expert parallelism (expert_rows.h), 1: no exchange.
  int expert_groups = 1;
  bool bf16 = false;  // weights, activations and their gradients are rounded to BF16
  bool fp8 = false;   // linear layers but gate and head multiply in FP8 (fp8_linear.h)
};

// "micro", "tiny", "small", "medium", "large" (for GPUs), and each with "-dense" after it.
std::vector<std::string> ModelNames();
Result<ModelConfig> FindModel(const std::string& name);

// Fails where a size is not possible.
Status CheckModel(const ModelConfig& model);

}  // namespace pipescope::transformer
