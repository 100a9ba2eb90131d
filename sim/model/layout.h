// Which layers a pipeline stage holds, as a text one can read and edit.
//
//   E  embedding      t  transformer layer      m  MTP module      L  head and loss
//   |  ends a stage   x*n  repeats x n times    (...)*n  repeats a group    ,  is ignored
//
// The notation is Megatron-Core's pipeline layout. DeepSeek-V3 on 16 stages:
//   "Et*4|(t*4|)*14tmL"   stage 0: embedding and 4 layers (3 of them dense); stages 1 to 14: 4
//                         layers each; stage 15: the last layer, the MTP module, head and loss.
// The head costs as much as 1.4 layers and MTP brings a layer and a second head, so this is
// balanced to within a fifth of a stage.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/model/config.h"

namespace pipescope::model {

// What a stage computes, in order. An MTP module (the letter m) is a projection of the hidden
// state joined with the next token's embedding, one layer, and a head that shares its weights.
enum class BlockKind { kEmbedding, kDenseLayer, kMoeLayer, kMtpProjection, kHead };

inline BlockKind BlockOf(LayerKind kind) {
  return kind.moe ? BlockKind::kMoeLayer : BlockKind::kDenseLayer;
}

struct Block {
  BlockKind kind = BlockKind::kDenseLayer;
  int layer = -1;    // of the model's layers; -1 for blocks that are no layer
  bool mtp = false;  // belongs to an MTP module
};

struct StageLayout {
  std::vector<Block> blocks;
  std::string text;  // as `Print` shows it, such as "Ettt"
};

using Layout = std::vector<StageLayout>;

// Expands the notation for `model`. Fails where a letter is unknown, brackets do not match, a stage
// is empty, or the letters do not make up the model in its order.
Result<Layout> ParseLayout(const std::string& text, const ModelConfig& model);

// Fails as well where the stages are not `stages` in number.
Result<Layout> ParseLayout(const std::string& text, const ModelConfig& model, int stages);

// A layout with the layers spread by their work: the head counts as `head / layer` layers by
// FLOPs. Fails where there are more stages than layers.
Result<Layout> BalancedLayout(const ModelConfig& model, int stages);

// "Ettt|tttt|...", every letter written out.
std::string PrintLayout(const Layout& layout);

}  // namespace pipescope::model
