// A link of emulated devices: a thread that sends and receives letters of the job.
#pragma once

#include "kernels/executor/post.h"
#include "kernels/transformer/device/emulated_queue.h"
#include "kernels/transformer/device/link.h"

namespace pipescope::transformer::device {

class EmulatedLink : public Link {
 public:
  EmulatedLink(const LinkName& name, executor::Post& post, uint32_t jitter)
      : name_(name), post_(post), thread_(jitter) {}

  EventPtr Record() override { return thread_.Record(); }
  void Wait(const EventPtr& event) override { thread_.Wait(event); }
  Status Finish() override { return thread_.Finish(); }
  void Send(const void* data, int64_t bytes) override;
  void Receive(void* data, int64_t bytes) override;

 private:
  int32_t number() const;

  const LinkName name_;
  executor::Post& post_;
  WorkThread thread_;
};

}  // namespace pipescope::transformer::device
