#include "kernels/executor/packed_record.h"

#include <algorithm>
#include <map>

#include "kernels/executor/packed.h"

namespace pipescope::executor {

std::string PackRecord(const RankRecord& record, const std::vector<Sent>& sent) {
  Packer packer;
  packer.PutList(record.actions);
  packer.Put(static_cast<uint64_t>(record.steps.size()));
  for (const StepRecord& step : record.steps) {
    packer.Put(step.label);
    packer.Put(step.lane);
    packer.PutList(step.after);
    packer.Put(step.message);
    packer.Put(step.start);
    packer.Put(step.end);
  }
  packer.Put(record.on_device);
  packer.PutList(record.messages);
  packer.PutList(sent);
  return packer.Take();
}

ProcessRecord UnpackRecord(const std::string& bytes, std::chrono::nanoseconds offset) {
  Unpacker unpacker(bytes);
  ProcessRecord of;
  of.record.actions = unpacker.GetList<ActionRecord>();
  of.record.steps.resize(unpacker.Count(sizeof(Clock::time_point)));
  for (StepRecord& step : of.record.steps) {
    step.label = unpacker.Get<int32_t>();
    step.lane = unpacker.Get<timeline::Lane>();
    step.after = unpacker.GetList<int32_t>();
    step.message = unpacker.Get<int32_t>();
    step.start = unpacker.Get<Clock::time_point>() - offset;
    step.end = unpacker.Get<Clock::time_point>() - offset;
  }
  of.record.on_device = unpacker.Get<bool>();
  of.record.messages = unpacker.GetList<MessageRecord>();
  for (MessageRecord& message : of.record.messages) {
    if (message.arrived != kNotWaitedFor) message.arrived -= offset;
  }
  of.sent = unpacker.GetList<Sent>();
  for (Sent& sent : of.sent) sent.at -= offset;
  return of;
}

std::vector<RankRecord> JoinRecords(const std::vector<ProcessRecord>& records) {
  std::map<MessageName, Clock::time_point> sent;
  for (const ProcessRecord& of : records) {
    for (const Sent& message : of.sent) sent[message.name] = message.at;
  }
  std::vector<RankRecord> joined;
  for (const ProcessRecord& of : records) {
    RankRecord& record = joined.emplace_back(of.record);
    for (MessageRecord& message : record.messages) {
      message.sent = sent.at(message.name);
      if (message.arrived == kNotWaitedFor) message.arrived = message.sent;
      // Clocks are right to some microseconds; nothing comes before it was sent.
      message.sent = std::min(message.sent, message.arrived);
    }
  }
  return joined;
}

}  // namespace pipescope::executor
