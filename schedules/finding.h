// What is wrong with an order, in words a person can act on.
#pragma once

#include <cstdint>
#include <string>

namespace pipescope::schedules {

enum class FindingKind : uint8_t {
  kIncomplete,  // an action is missing, or a stage or micro-batch does not exist
  kDuplicate,   // the same work twice
  kOrder,       // an action stands before one of its own rank that it needs
  kPlacement,   // the parts of one stage and micro-batch are on different ranks
  kDeadlock,    // ranks wait for each other in a circle
  kMemory,      // a rank holds more activations than it may
};

struct Finding {
  FindingKind kind = FindingKind::kIncomplete;
  int32_t rank = -1;      // -1: no single rank
  int32_t position = -1;  // in the rank's list, from 0; -1: no single action
  std::string message;
};

// "incomplete", "duplicate", "order", "placement", "deadlock" or "memory".
const char* NameOf(FindingKind kind);

// "order: 0W0 on rank 0 comes before 0I0, which it needs".
std::string ToString(const Finding& finding);

// The same, "; " where it has lines: for an error.
std::string InOneLine(const Finding& finding);

}  // namespace pipescope::schedules
