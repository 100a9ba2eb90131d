#include "sim/model/saved_tensors.h"

namespace pipescope::model {
namespace {

constexpr int64_t kBf16 = 2, kFp32 = 4;

// A list under construction: tensors of rows of some width.
class SavedList {
 public:
  explicit SavedList(const WorkShape& shape) : shape_(shape) {}

  void Rows(const char* name, int64_t rows, int64_t width, int64_t bytes = kBf16) {
    if (rows * width > 0) saved_.push_back({name, Bytes(rows * width * bytes)});
  }
  // Of all tokens, of this GPU's share of them.
  void Token(const char* name, int64_t width) { Rows(name, shape_.tokens, width); }
  void Shard(const char* name, int64_t width) { Rows(name, shape_.shard(), width); }
  // What is computed again instead, from the tensors before it.
  void ShardUnlessAgain(const char* name, int64_t width) {
    if (!shape_.again()) Shard(name, width);
  }
  void TokenUnlessAgain(const char* name, int64_t width) {
    if (!shape_.again()) Token(name, width);
  }

  std::vector<SavedTensor> Take() { return std::move(saved_); }

 private:
  const WorkShape& shape_;
  std::vector<SavedTensor> saved_;
};

int64_t UpWidth(const ModelConfig& m, int64_t f) { return m.gated ? 2 * f : f; }

void AddAttention(SavedList& list, const ModelConfig& m, const WorkShape& s) {
  const Attention a = LocalAttention(m.attention, s.tensor);
  list.Shard("attention input", m.hidden);
  list.ShardUnlessAgain("normed attention input", m.hidden);
  if (a.latent()) {
    const int64_t query = a.q_lora_rank > 0 ? a.q_lora_rank : 0;
    list.Shard("low-rank q and kv", query + a.kv_lora_rank + a.qk_rope_head_dim);
    list.ShardUnlessAgain("normed low-rank q and kv", query + a.kv_lora_rank);
    list.TokenUnlessAgain("q", a.q_width());
    list.TokenUnlessAgain("k", a.k_width());
    list.TokenUnlessAgain("up-projected kv", a.heads * (a.qk_nope_head_dim + a.v_head_dim));
  } else {
    if (a.qk_norm) list.TokenUnlessAgain("q, k before norms", a.q_width() + a.k_width());
    list.Token("q, k, v", a.q_width() + a.k_width() + a.v_width());
  }
  list.Token("attention output", a.output_width());
  const bool keeps_core = s.recompute != Recompute::kSelective;
  if (s.unfused_attention) {
    if (keeps_core) {
      list.Rows("softmax, before and after dropout", s.tokens, 2 * a.heads * s.sequence);
      list.Rows("dropout mask of the scores", s.tokens, a.heads * s.sequence, 1);
    }
    list.Rows("dropout masks", s.shard(), 2 * m.hidden, 1);
  } else if (keeps_core) {
    list.Rows("log-sum-exp", s.tokens, a.heads, kFp32);
  }
  if (m.norms == 4) list.Shard("inputs of the norms after", 2 * m.hidden);
}

void AddMlp(SavedList& list, const ModelConfig& m, const WorkShape& s, bool moe) {
  list.Shard("MLP input", m.hidden);
  list.ShardUnlessAgain("normed MLP input", m.hidden);
  const auto dense = [&](const char* up, const char* act, int64_t f) {
    list.Token(up, UpWidth(m, f));
    list.TokenUnlessAgain(act, f);
  };
  if (!moe) {
    dense("up-projection", "activation", m.dense_intermediate / s.tensor);
    return;
  }
  const int64_t rows = ExpertRows(m, s), f = m.expert_intermediate;
  list.Rows("router", s.shard(), 2 * m.routed_experts, kFp32);
  list.Rows("dispatched rows", rows, m.hidden);
  list.Rows("experts' up-projection", rows, UpWidth(m, f));
  if (!s.again()) list.Rows("experts' activation", rows, f);
  dense("shared up-projection", "shared activation", m.shared_intermediate / s.tensor);
}

int64_t Share(int64_t value, const WorkShape& s) { return value / s.tensor; }

}  // namespace

std::vector<SavedTensor> SavedTensors(const ModelConfig& m, const WorkShape& s,
                                      const Block& block) {
  SavedList list(s);
  switch (block.kind) {
    case BlockKind::kEmbedding:
      list.Rows("token ids", s.tokens, 1, 8);
      break;
    case BlockKind::kDenseLayer:
    case BlockKind::kMoeLayer:
      if (s.recompute == Recompute::kFull) {
        list.Shard("layer input", m.hidden);
        break;
      }
      AddAttention(list, m, s);
      AddMlp(list, m, s, block.kind == BlockKind::kMoeLayer);
      break;
    case BlockKind::kMtpProjection:
      list.Shard("embedding and hidden state", 2 * m.hidden);
      list.ShardUnlessAgain("both normed", 2 * m.hidden);
      break;
    case BlockKind::kHead:
      list.Shard("last hidden state", m.hidden);
      list.Shard("normed hidden state", m.hidden);
      list.Token("logits", Share(m.vocabulary, s));
      break;
  }
  return list.Take();
}

Bytes WorkingSet(const ModelConfig& m, const WorkShape& s, const Block& block) {
  const int64_t d = m.hidden;
  switch (block.kind) {
    case BlockKind::kEmbedding:
      return Bytes(0);
    case BlockKind::kMtpProjection:
      return Bytes(kBf16 * (s.shard() * d + s.tokens * 2 * d));
    case BlockKind::kHead: {
      const int64_t rows = (s.tensor > 1 ? 2 : 1) * s.tokens;
      return Bytes(kBf16 * (rows * d + Share(m.vocabulary, s) * d));
    }
    case BlockKind::kDenseLayer:
    case BlockKind::kMoeLayer:
      break;
  }
  Bytes again;
  if (s.recompute == Recompute::kFull) {
    WorkShape whole = s;
    whole.recompute = Recompute::kNone;
    for (const SavedTensor& tensor : SavedTensors(m, whole, block)) again += tensor.bytes;
  }
  const int64_t output = s.shard() * d + s.tokens * d;
  if (block.kind == BlockKind::kMoeLayer) {
    return again + Bytes(kBf16 * (output + 2 * ExpertRows(m, s) * d));
  }
  return again + Bytes(kBf16 * (output + s.tokens * Share(UpWidth(m, m.dense_intermediate), s)));
}

std::vector<std::pair<int64_t, int64_t>> WeightShapes(const ModelConfig& m, const WorkShape& s,
                                                      const Block& block) {
  const Attention a = LocalAttention(m.attention, s.tensor);
  std::vector<std::pair<int64_t, int64_t>> shapes;
  const auto mlp = [&](int64_t f) {
    if (f == 0) return;
    shapes.emplace_back(UpWidth(m, f), m.hidden);
    shapes.emplace_back(m.hidden, f);
  };
  if (block.kind == BlockKind::kMtpProjection) return {{Share(m.hidden, s), 2 * m.hidden}};
  if (block.kind != BlockKind::kDenseLayer && block.kind != BlockKind::kMoeLayer) return {};
  if (a.latent()) {
    if (a.q_lora_rank > 0) shapes.emplace_back(a.q_lora_rank, m.hidden);
    shapes.emplace_back(a.q_width(), a.q_lora_rank > 0 ? a.q_lora_rank : m.hidden);
    shapes.emplace_back(a.kv_lora_rank + a.qk_rope_head_dim, m.hidden);
    shapes.emplace_back(a.heads * (a.qk_nope_head_dim + a.v_head_dim), a.kv_lora_rank);
  } else {
    shapes.emplace_back(a.q_width() + a.k_width() + a.v_width(), m.hidden);
  }
  shapes.emplace_back(m.hidden, a.output_width());
  if (block.kind == BlockKind::kDenseLayer) {
    mlp(Share(m.dense_intermediate, s));
  } else {
    mlp(m.expert_intermediate);
    mlp(Share(m.shared_intermediate, s));
  }
  return shapes;
}

}  // namespace pipescope::model
