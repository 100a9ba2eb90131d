#include <algorithm>
#include <array>

#include "kernels/bench/check.h"
#include "kernels/bench/cuda_ops.h"
#include "kernels/cuda/train_case.h"
#include "kernels/train/cuda/train_check.h"

namespace pipescope::kernels::bench {
namespace {

using measured::Kind;
using measured::Pass;

// The operation and its gradients are checked together, on one set of inputs.
std::string GroupOf(const std::string& name) {
  static constexpr std::array kGroups = {"rms_norm",      "swiglu",  "rope",      "router",
                                         "cross_entropy", "permute", "embedding", "adamw",
                                         "residual",      "mtp_join"};
  for (const char* group : kGroups) {
    if (name.starts_with(group)) return group;
  }
  return name.starts_with("unpermute") ? "permute" : "attention";
}

// Each comparison has a limit of its own; the worst share of it counts.
Result<Checked> CheckOnGpu(const std::string& name, uint64_t seed) {
  const auto checks = cuda::CheckTrainOnGpu(static_cast<uint32_t>(seed), GroupOf(name));
  if (!checks) return Fail(checks.error());
  Checked checked = {.limit = 1};
  for (const cuda::TrainCheck& check : *checks) {
    if (check.operation != name) continue;
    NoteTrue(checked, check.operation + ": differs by " + std::to_string(check.difference),
             check.right());
    const double share = check.difference / check.allowed;
    if (!(share <= checked.difference)) checked.difference = share;
  }
  NoteTrue(checked, name + ": nothing was compared", checked.cases > 0);
  return checked;
}

cuda::TrainCase CaseOf(const std::string& name, const Shape& shape) {
  cuda::TrainCase c = {name, 0, 0};
  for (const auto& [key, value] : shape) {
    if (key == "tokens" || key == "rows" || key == "sequence") c.tokens = value;
    if (key == "columns" || key == "heads") c.columns = value;
    if (key == "window") c.window = value;
  }
  return c;
}

// Of one sequence of MLA as it is trained.
Shape AttentionShape(int64_t sequence, int64_t heads) {
  return {{"batch", 1},         {"sequence", sequence},        {"heads", heads},
          {"key_heads", heads}, {"qk_dim", cuda::kQkChannels}, {"v_dim", cuda::kVChannels}};
}

// A vocabulary and a number of experts stay what they are.
std::vector<Size> SizesOf(const std::string& operation, Kind kind) {
  if (kind == Kind::kAttention) return {{"sequence", 64}, {"heads", 1, "key_heads"}};
  if (kind != Kind::kMemory) return {};
  const bool fixed = operation.starts_with("router") || operation.starts_with("cross_entropy");
  if (fixed) return {{"rows", 8}};
  return {{"rows", 8}, {"columns", operation.starts_with("rope") ? cuda::kQkChannels : 8}};
}

Op TrainOp(const std::string& operation, const std::string& name, Kind kind, Pass pass,
           std::vector<Shape> shapes) {
  Op op = {.name = name,
           .backend = "ours",
           .device = Device::kCuda,
           .truth = "kernels/train, in double",
           .baseline = kind == Kind::kMemory ? "copy of the same bytes" : "",
           .kind = kind,
           .pass = pass,
           .format = measured::Format::kBf16,
           .shapes = std::move(shapes),
           .sizes = SizesOf(operation, kind)};
  op.bytes = [operation](const Shape& shape) { return CaseOf(operation, shape).bytes(); };
  op.check = [operation](uint64_t seed) { return CheckOnGpu(operation, seed); };
  op.prepare = [operation](const Shape& shape, int) {
    return PrepareTrain(CaseOf(operation, shape));
  };
  op.trial = [operation, kind](const Shape& shape, int) -> Result<Trial> {
    const cuda::TrainCase c = CaseOf(operation, shape);
    if (auto ok = CheckCase(c); !ok) return Fail(ok.error());
    auto trial = OnGpu(PrepareTrain(c), c.flops(), c.bytes());
    return kind == Kind::kMemory ? BesideCopyOnGpu(std::move(trial)) : trial;
  };
  return op;
}

Op RowsOp(const std::string& name, int64_t rows, int64_t columns) {
  return TrainOp(name, name, Kind::kMemory, Pass::kNone, {{{"rows", rows}, {"columns", columns}}});
}

std::vector<Op> AttentionOps() {
  const std::vector<Shape> whole = {AttentionShape(4096, 128)};
  std::vector<Shape> windowed = {AttentionShape(4096, 128)};
  windowed[0].emplace_back("window", 512);
  // A profile's attention is causal over all: a window is another operation.
  return {TrainOp("attention", "attention", Kind::kAttention, Pass::kForward, whole),
          TrainOp("attention_input_grad", "attention_input_grad", Kind::kAttention,
                  Pass::kInputGrad, whole),
          TrainOp("attention", "attention_window", Kind::kOther, Pass::kNone, windowed),
          TrainOp("attention_input_grad", "attention_window_input_grad", Kind::kOther, Pass::kNone,
                  windowed)};
}

}  // namespace

// DeepSeek-V3's layer at 4096 tokens a GPU; 32768 rows of experts; 128 heads of 192.
std::vector<Op> CudaTrainOps() {
  constexpr int64_t kTokens = 4096, kHidden = 7168, kExpertRows = 32768, kWidth = 2048;
  std::vector<Op> ops;
  for (const char* name :
       {"rms_norm", "rms_norm_input_grad", "rms_norm_weight_grad", "mtp_join",
        "mtp_join_input_grad", "mtp_join_weight_grad", "residual", "permute", "permute_input_grad",
        "unpermute", "unpermute_input_grad", "embedding", "embedding_grad"}) {
    ops.push_back(RowsOp(name, kTokens, kHidden));
  }
  for (const char* name : {"swiglu", "swiglu_input_grad"}) {
    ops.push_back(RowsOp(name, kExpertRows, kWidth));
  }
  for (const char* name : {"rope", "rope_input_grad"}) {
    ops.push_back(RowsOp(name, kTokens, 128 * cuda::kQkChannels));
  }
  for (const char* name : {"router", "router_input_grad"}) {
    ops.push_back(RowsOp(name, kTokens, cuda::kExperts));
  }
  for (const char* name : {"cross_entropy", "cross_entropy_input_grad"}) {
    ops.push_back(RowsOp(name, kTokens, cuda::kVocabulary));
  }
  ops.push_back(RowsOp("adamw", 1 << 14, 1 << 13));  // weights
  for (Op& op : AttentionOps()) ops.push_back(std::move(op));
  return ops;
}

}  // namespace pipescope::kernels::bench
