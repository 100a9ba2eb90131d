// What a SimGridEngine and its process say to each other: a Request each, and an answer to those
// that have one.
#pragma once

#include <cstdint>

#include "sim/flow/run.h"
#include "sim/flow/simgrid_engine.h"

namespace pipescope::flow {

struct Request {
  enum class Kind : int32_t { kAdd, kCancel, kSetCapacity, kNext, kAdvance };
  Kind kind = Kind::kAdd;
  int64_t number = 0;   // pattern, flow or link
  int64_t time = 0;     // kAdvance: picoseconds
  double capacity = 0;  // bytes/s
};
// kNext is answered by an int64_t, kAdvance by an int64_t count and so many Ended.

// False at the other's end.
bool ReadAll(int socket, void* to, size_t bytes);
bool WriteAll(int socket, const void* from, size_t bytes);

// Runs SimGrid until the socket is closed; for a process of its own.
void ServeSimGrid(int socket, const Network& network,
                  const std::vector<std::shared_ptr<const Pattern>>& patterns,
                  SimGridEngine::Mode mode);

}  // namespace pipescope::flow
