// What a process recorded of a step, as bytes for rank 0, which puts all on its own clock.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kernels/executor/post_transport.h"
#include "kernels/executor/record.h"

namespace pipescope::executor {

struct ProcessRecord {
  RankRecord record;
  std::vector<Sent> sent;
};

std::string PackRecord(const RankRecord& record, const std::vector<Sent>& sent);

// `offset` is taken off all times.
ProcessRecord UnpackRecord(const std::string& bytes, std::chrono::nanoseconds offset);

// [rank] Each message gets the time at which its sender sent it; one that nobody waited for came
// when it was sent.
std::vector<RankRecord> JoinRecords(const std::vector<ProcessRecord>& records);

}  // namespace pipescope::executor
