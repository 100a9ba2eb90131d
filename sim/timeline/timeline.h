// What happened when: the one record that all analysis and all reports read, whoever made it (the
// simulator, a real run, an imported trace).
//
// A rank runs actions one after the other; an action is made of operations on the rank's lanes.
// Pipeline messages and the collectives and optimizer at the step's end are operations that belong
// to no action. Times are picoseconds from the step's start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schedules/schedule.h"
#include "sim/base/units.h"

namespace pipescope::timeline {

enum class Lane : uint8_t { kCompute, kCommunication, kPipeline, kGradient };
inline constexpr int kLanes = 4;

enum class OperationKind : uint8_t {
  kAttention,
  kMlp,
  kDispatch,
  kCombine,
  kEdge,        // embedding, head, MTP projection
  kMessage,     // between pipeline ranks
  kCollective,  // gradients and parameters among replicas
  kOptimizer,
  kOther,
};

// Which part of a step an operation's time counts to.
enum class Part : uint8_t { kForward, kInputGrad, kWeightGrad, kNone };

// What operations of the same name share.
struct Label {
  std::string name;  // "attention F", "dispatch B"
  OperationKind kind = OperationKind::kOther;
  Lane lane = Lane::kCompute;
  Part part = Part::kNone;
};

struct Operation {
  int32_t rank = 0;
  int32_t label = 0;
  int32_t action = -1;       // index into Timeline::actions, or -1
  int32_t released_by = -1;  // the operation whose end let this one start, or -1
  Duration start;
  Duration end;
};

struct ActionSpan {
  int32_t rank = 0;
  schedules::Action action;
  int32_t first = 0;  // its operations are first .. first + count - 1
  int32_t count = 0;
  Duration start;
  Duration end;
};

// The ends of an operation of kind kMessage.
struct Message {
  int32_t operation = 0;
  int32_t from = 0;  // rank
  int32_t to = 0;
  StageId stage;  // that sends
  MicrobatchId microbatch;
  bool backward = false;
};

struct Timeline {
  int ranks = 0;
  std::vector<Label> labels;
  std::vector<Operation> operations;
  std::vector<ActionSpan> actions;                // rank by rank, in order
  std::vector<std::pair<int, int>> rank_actions;  // [rank] first and one past its last action
  std::vector<Message> messages;
  Duration pipeline_end;  // end of the last action
  Duration end;           // end of the step
};

}  // namespace pipescope::timeline
