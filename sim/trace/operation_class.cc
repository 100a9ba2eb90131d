#include "sim/trace/operation_class.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace pipescope::trace {
namespace {

using Class = OperationClass;
using timeline::OperationKind;

struct ClassInfo {
  Class self;
  const char* name;
  OperationKind kind;
};
constexpr ClassInfo kInfo[] = {
    {Class::kGroupedGemm, "grouped GEMM", OperationKind::kMlp},
    {Class::kWeightGradGemm, "weight gradient GEMM", OperationKind::kOther},
    {Class::kFp8Gemm, "FP8 GEMM", OperationKind::kOther},
    {Class::kGemm, "GEMM", OperationKind::kOther},
    {Class::kAttentionForward, "attention forward", OperationKind::kAttention},
    {Class::kAttentionBackward, "attention backward", OperationKind::kAttention},
    {Class::kDispatch, "dispatch", OperationKind::kDispatch},
    {Class::kCombine, "combine", OperationKind::kCombine},
    {Class::kNotify, "notify", OperationKind::kDispatch},
    {Class::kAllReduce, "all-reduce", OperationKind::kCollective},
    {Class::kAllGather, "all-gather", OperationKind::kCollective},
    {Class::kReduceScatter, "reduce-scatter", OperationKind::kCollective},
    {Class::kAllToAll, "all-to-all", OperationKind::kCollective},
    {Class::kSendReceive, "send and receive", OperationKind::kMessage},
    {Class::kBroadcast, "broadcast", OperationKind::kCollective},
    {Class::kOtherCollective, "other collective", OperationKind::kCollective},
    {Class::kPermute, "permute", OperationKind::kMlp},
    {Class::kCast, "cast and transpose", OperationKind::kOther},
    {Class::kNorm, "norm", OperationKind::kOther},
    {Class::kActivation, "activation", OperationKind::kMlp},
    {Class::kRotary, "rotary", OperationKind::kAttention},
    {Class::kOptimizer, "optimizer", OperationKind::kOptimizer},
    {Class::kElementwise, "elementwise", OperationKind::kOther},
    {Class::kCopy, "copy", OperationKind::kOther},
    {Class::kFill, "fill", OperationKind::kOther},
    {Class::kOther, "other", OperationKind::kOther},
};
static_assert(std::size(kInfo) == kOperationClasses);

// Names as libraries give them to their kernels: NCCL (nccl), DeepEP (internode, intranode),
// DeepGEMM and DeepSeek's training kernels (the profile-data trace), cuBLAS (xmma, nvjet), CUTLASS,
// FlashAttention (flash), cuDNN (sdpa, cudnn), PyTorch's own (at::native), Transformer Engine,
// apex, Triton.
struct Rule {
  std::array<std::string_view, 2> parts;  // in lower case
  Class self;
};
constexpr Rule kRules[] = {
    {{"nccl", "allreduce"}, Class::kAllReduce},
    {{"nccl", "allgather"}, Class::kAllGather},
    {{"nccl", "reducescatter"}, Class::kReduceScatter},
    {{"nccl", "alltoall"}, Class::kAllToAll},
    {{"nccl", "sendrecv"}, Class::kSendReceive},
    {{"nccl", "broadcast"}, Class::kBroadcast},
    {{"nccl", "kernel"}, Class::kOtherCollective},
    {{"node", "notify"}, Class::kNotify},
    {{"get_dispatch_layout"}, Class::kNotify},
    {{"node", "::dispatch"}, Class::kDispatch},
    {{"node", "::combine"}, Class::kCombine},
    {{"flash", "bwd"}, Class::kAttentionBackward},
    {{"fmha", "bwd"}, Class::kAttentionBackward},
    {{"fmha", "dgrad"}, Class::kAttentionBackward},
    {{"sdpa", "bprop"}, Class::kAttentionBackward},
    {{"flash", "fwd"}, Class::kAttentionForward},
    {{"fmha"}, Class::kAttentionForward},
    {{"sdpa"}, Class::kAttentionForward},
    // Before GEMMs: helpers of theirs, and casts whose namespaces speak of GEMMs.
    {{"swiglu"}, Class::kActivation},
    {{"silu"}, Class::kActivation},
    {{"gelu"}, Class::kActivation},
    {{"transpose"}, Class::kCast},
    {{"fill_tensormaps"}, Class::kElementwise},
    {{"m_grouped"}, Class::kGroupedGemm},
    {{"gemm", "mgrouped"}, Class::kGroupedGemm},
    {{"gemm", "group_mode"}, Class::kGroupedGemm},
    {{"fp8_dptp128c_acc"}, Class::kWeightGradGemm},
    {{"wgrad"}, Class::kWeightGradGemm},
    {{"fp8_gemm"}, Class::kFp8Gemm},
    {{"fp8_ptp128c"}, Class::kFp8Gemm},
    {{"gemm", "e4m3"}, Class::kFp8Gemm},
    {{"nvjet_qq"}, Class::kFp8Gemm},
    {{"nvjet"}, Class::kGemm},
    {{"gemm", "kernel"}, Class::kGemm},
    {{"gemm", "sm"}, Class::kGemm},
    {{"gemv"}, Class::kGemm},
    {{"cast_to_fp8"}, Class::kCast},
    {{"cast_back"}, Class::kCast},
    {{"quantize"}, Class::kCast},
    {{"layer_norm"}, Class::kNorm},
    {{"layernorm"}, Class::kNorm},
    {{"rmsnorm"}, Class::kNorm},
    {{"rms_norm"}, Class::kNorm},
    {{"rotary"}, Class::kRotary},
    {{"expand_to_fused"}, Class::kPermute},
    {{"reduce_fused"}, Class::kPermute},
    {{"fused_mapping"}, Class::kPermute},
    {{"permut"}, Class::kPermute},
    {{"adam"}, Class::kOptimizer},
    {{"multi_tensor_apply"}, Class::kOptimizer},
    {{"copy"}, Class::kCopy},
    {{"at::native"}, Class::kElementwise},
    {{"at6native"}, Class::kElementwise},  // mangled
    {{"elementwise"}, Class::kElementwise},
    {{"topk"}, Class::kElementwise},
    {{"triton_"}, Class::kElementwise},
};

constexpr bool InOrder() {
  for (int i = 0; i < kOperationClasses; ++i) {
    if (static_cast<int>(kInfo[i].self) != i) return false;
  }
  return true;
}
static_assert(InOrder());

const ClassInfo& Info(Class c) { return kInfo[static_cast<size_t>(c)]; }

}  // namespace

const char* Name(Class c) { return Info(c).name; }
OperationKind KindOf(Class c) { return Info(c).kind; }
bool IsCommunication(Class c) {
  const OperationKind kind = Info(c).kind;
  return kind == OperationKind::kDispatch || kind == OperationKind::kCombine ||
         kind == OperationKind::kCollective || kind == OperationKind::kMessage;
}

Class ClassOfKernel(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  for (const Rule& rule : kRules) {
    const auto occurs = [&](std::string_view part) { return lower.find(part) != lower.npos; };
    if (std::all_of(rule.parts.begin(), rule.parts.end(), occurs)) return rule.self;
  }
  return Class::kOther;
}

std::vector<Class> Classify(const Trace& trace) {
  std::vector<Class> of_name(trace.names.size());
  std::vector<bool> known(trace.names.size());
  std::vector<Class> classes;
  classes.reserve(trace.operations.size());
  for (const DeviceOperation& op : trace.operations) {
    const auto name = static_cast<size_t>(op.name);
    if (!known[name]) of_name[name] = ClassOfKernel(trace.names[name]);
    known[name] = true;
    classes.push_back(op.work == DeviceWork::kCopy   ? Class::kCopy
                      : op.work == DeviceWork::kFill ? Class::kFill
                                                     : of_name[name]);
  }
  return classes;
}

}  // namespace pipescope::trace
