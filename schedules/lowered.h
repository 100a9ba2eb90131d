// The lowered IR: the compute actions of a schedule and the communication between them, as lists
// that a rank runs from front to back.
//
//   SEND_F  "0SEND_F3"      stage 0 sends its output of micro-batch 3 to stage 1
//   RECV_F  "1RECV_F3"      stage 1 receives it
//   SEND_B  "1SEND_B3"      stage 1 sends its input gradient of micro-batch 3 to stage 0
//   RECV_B  "0RECV_B3"      stage 0 receives it
//   UNSHARD "0UNSHARD"      stage 0's parameters are gathered (FSDP)
//   RESHARD "0RESHARD"      and given up again
//   REDUCE_GRAD "0REDUCE_GRAD"   stage 0's gradients are reduced over the data-parallel ranks
//
// How PyTorch lowers, which Lower repeats:
//   The ranks take turns, 0 to p-1 and round again, one action a turn. An action whose input has
//   not come yet passes its turn. Right after a compute action its SEND is put on the own list and
//   the matching RECV on the peer's, so a RECV stands where its sender was when it sent. Stages on
//   one rank exchange no messages. An overlapped pair gives both results at its end: SEND_F first.
//   All lists grow in one common order, so that the lists cannot hang, even where SENDs block.
//   Parameters: the next `max_active_stages` stages of the list are kept gathered; before each
//   compute action those no longer among them are given up, then the missing ones gathered.
//   Gradients of a stage are reduced after its last W or B on the rank.
//
// Example: ranks {0F0, 0B0} and {1F0, 1B0} become
//   0F0,0SEND_F0,0RECV_B0,0B0
//   1RECV_F0,1F0,1B0,1SEND_B0
//
// Source: torch/distributed/pipelining/schedules.py (_add_send_recv, _add_unshard_reshard,
// _add_reduce_grad, _merge_bw); the rules only.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

enum class CommunicationKind : uint8_t {
  kSendForward,
  kReceiveForward,
  kSendBackward,
  kReceiveBackward,
  kUnshard,
  kReshard,
  kReduceGrad,
};

struct Communication {
  CommunicationKind kind = CommunicationKind::kSendForward;
  StageId stage;
  MicrobatchId microbatch = {};  // none (-1) from kUnshard on

  friend bool operator==(const Communication&, const Communication&) = default;
};

// SEND and RECV, which come in twos and name a micro-batch.
inline bool IsMessage(const Communication& c) { return c.kind < CommunicationKind::kUnshard; }

using LoweredAction = std::variant<Action, Communication>;

struct LoweredSchedule {
  std::string name;
  int ranks = 0;
  int stages = 0;
  int microbatches = 0;
  std::vector<std::vector<LoweredAction>> actions;  // [rank][position]
};

struct Lowering {
  std::optional<int> max_active_stages = {};  // with UNSHARD and RESHARD; PyTorch's default is 3
  bool reduce_grad = false;
};

// Fails with the first finding of Check where the order is illegal or hangs, and where
// max_active_stages is less than 1.
Result<LoweredSchedule> Lower(const Schedule& schedule, const Lowering& options = {});

// The compute actions alone.
Schedule WithoutCommunication(const LoweredSchedule& lowered);

// Joins every I that is directly followed by the W of its stage and micro-batch into a B.
Schedule MergeBackwards(Schedule schedule);

}  // namespace pipescope::schedules
