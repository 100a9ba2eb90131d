// Parameters of a model, by block, split into those that expert parallelism shards and the rest.
//
// With d = hidden, h heads, g heads of keys and values:
//   grouped attention  d c (h + 2 g) + h c d, c the width of a head; biases where there are any
//   latent attention   d q_lora + q_lora h (nope + rope) + d (kv_lora + rope)
//                      + kv_lora h (nope + v) + h v d, and the norms of the two short vectors
//   MLP of width f     3 d f gated, 2 d f plain        router  d experts, V3 a bias an expert too
// Published sums these reproduce: DeepSeek-V3 671.0 billion without its MTP module, 37.6 billion of
// them active (with embedding); Llama 3 70B 70,553,706,496; Mixtral 8x7B 46,702,792,704.
#pragma once

#include <cstdint>

#include "sim/model/config.h"
#include "sim/model/layout.h"

namespace pipescope::model {

struct ParameterCount {
  int64_t shared = 0;  // on every rank that holds the block
  int64_t expert = 0;  // of all routed experts; a rank holds its share
  // Of `shared`, what tensor parallelism does not split: norms, router, the low-rank
  // down-projections of latent attention, biases of row-split layers.
  int64_t whole = 0;
};

// Of one block. The head of an MTP module shares the main head's weights: only its norm counts.
ParameterCount BlockParameters(const ModelConfig& model, const Block& block);

int64_t AttentionParameters(const ModelConfig& model);

// Of one MoE layer (or dense, where there are no experts): what one token multiplies with.
int64_t ActiveLayerParameters(const ModelConfig& model);

// Of the whole model, without MTP modules.
int64_t TotalParameters(const ModelConfig& model);

// The part of TotalParameters that one token uses: its experts_per_token experts, not all.
int64_t ActiveParameters(const ModelConfig& model);

}  // namespace pipescope::model
