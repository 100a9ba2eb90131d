// What kind of work a device operation is, by its kernel's name: GEMM, attention, dispatch, ...
//
// The table in operation_class.cc holds rules: all of a rule's parts must occur in the name, letter
// case aside, and the first rule that fits counts. What none fits is kOther; reports give its
// share, so that a table that has grown old shows.
//   "void dpsk::ep::internode::cached_notify<false>(int, ..."  -> kNotify
//   "ncclDevKernel_AllReduce_Sum_bf16_RING_LL(...)"            -> kAllReduce
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/timeline/timeline.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

enum class OperationClass : uint8_t {
  kGroupedGemm,
  kWeightGradGemm,
  kFp8Gemm,
  kGemm,
  kAttentionForward,
  kAttentionBackward,
  kDispatch,
  kCombine,
  kNotify,
  kAllReduce,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kSendReceive,
  kBroadcast,
  kOtherCollective,
  kPermute,
  kCast,
  kNorm,
  kActivation,
  kRotary,
  kOptimizer,
  kElementwise,
  kCopy,
  kFill,
  kOther,
};
inline constexpr int kOperationClasses = static_cast<int>(OperationClass::kOther) + 1;

const char* Name(OperationClass operation_class);
timeline::OperationKind KindOf(OperationClass operation_class);
bool IsCommunication(OperationClass operation_class);

OperationClass ClassOfKernel(const std::string& name);

// One class for each of trace.operations.
std::vector<OperationClass> Classify(const Trace& trace);

}  // namespace pipescope::trace
