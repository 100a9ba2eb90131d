// What operations take on one machine, as it was measured: what `calibrate` and `trace import` find
// out, and what costs are read from.
//
// An operation is told by its kind, pass, number format, the SMs it ran on, and its shape, whole
// numbers by name. Which names a kind has:
//   gemm        groups, m, n, k: [m x k] times [k x n], `groups` times; of a weight gradient too
//               the GEMM's own m, n, k. Passes tell kernels apart: weight gradients accumulate FP32
//   attention   batch, sequence, heads, key_heads, qk_dim, v_dim; causal; backward is input_grad
//   memory      bytes read and written; pass none. Its name tells what it does: two that move as
//               many bytes do not take as long
//   all_gather, reduce_scatter, all_reduce, all_to_all
//               bytes of the whole (an all-to-all: that a GPU has), gpus, per_node: of these gpus
//   message     bytes, per_node: 1 between nodes, 2 inside of one
//   attention_phase, mlp_phase, dispatch, combine, notify_dispatch, notify_combine
//               parts of one MoE layer, as sim/model/operations.h cuts it, told by the layer and
//               its share of work: tokens, sequence, hidden, heads, experts, experts_per_token,
//               expert_width, shared_width, expert_parallel, recompute (0 none, 1 the attention's
//               core, 2 DeepSeek-V3's, 3 all). A dispatch or combine is the kernel that moves rows,
//               a notify all that its stream does before; dispatch and combine of input_grad are
//               the gradients' of the forward pass's dispatch and combine. FP8 training is `fp8`
//   other       blocks of the kernel's grid; its name tells what it was. No cost is read from it
//
// `sms` are those that the operation could use. Less than the machine's means that others had the
// rest, and what they did to caches and HBM is in the time. 0: not known.
//
// Example: o_proj of DeepSeek-V3 beside dispatch on an H800: kind gemm, pass forward, fp8, groups
// 1, m 4096, n 7168, k 16384, 112 SMs, 895 us (deepseek-ai/profile-data).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "sim/base/units.h"

namespace pipescope::measured {

enum class Kind : uint8_t {
  kGemm,
  kAttention,
  kMemory,
  kAllGather,
  kReduceScatter,
  kAllReduce,
  kAllToAll,
  kMessage,
  kAttentionPhase,
  kMlpPhase,
  kDispatch,
  kCombine,
  kNotifyDispatch,
  kNotifyCombine,
  kOther,
};
inline constexpr int kKinds = static_cast<int>(Kind::kOther) + 1;

enum class Pass : uint8_t { kNone, kForward, kInputGrad, kWeightGrad };
inline constexpr int kPasses = 4;
enum class Format : uint8_t { kFp8, kBf16, kFp32, kUnknown };
inline constexpr int kFormats = 4;

const char* Name(Kind kind);
const char* Name(Pass pass);
const char* Name(Format format);
// The names of a kind's shape.
std::span<const std::string_view> Dimensions(Kind kind);
// Whether operations of the kind belong to a pass.
bool HasPass(Kind kind);

using Shape = std::map<std::string, int64_t>;

// A MoE layer, and a GPU's share of its work.
struct Layer {
  Shape shape;
  Format format = Format::kBf16;
};

// Of the times of one operation that ran `count` times.
struct Times {
  int64_t count = 0;
  Duration mean, least, most;
  Duration deviation;  // standard deviation, of a sample: over count - 1; 0 for a single time
};
// Of at least one time.
Times TimesOf(std::span<const Duration> each);

struct Operation {
  Kind kind = Kind::kOther;
  Pass pass = Pass::kNone;
  Format format = Format::kUnknown;
  Shape shape;
  int sms = 0;
  Times times;
  std::string name;    // as people call it, or ""
  std::string source;  // where it was measured: a trace, a benchmark

  // What tells it from others; a profile has each at most once.
  auto Key() const {
    const bool named = kind == Kind::kOther || kind == Kind::kMemory;
    return std::make_tuple(kind, pass, format, shape, sms, named ? name : "");
  }
};

struct Profile {
  std::string device;                          // "NVIDIA H800"
  int sms = 0;                                 // of the device, 0: not known
  std::map<std::string, std::string> machine;  // what else was written down: driver, clock, plan
  std::vector<Operation> operations;
};

}  // namespace pipescope::measured
