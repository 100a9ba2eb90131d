#include "kernels/executor/mailboxes.h"

#include "kernels/executor/spin.h"
#include "kernels/turns.h"

namespace pipescope::executor {

Status Mailboxes::Send(const MessageName& name, Payload payload) {
  Box& box = boxes_[static_cast<size_t>(name.to)];
  const Clock::time_point now = Clock::now();
  {
    const std::lock_guard lock(box.mutex);
    const bool is_new = box.messages.try_emplace(name, std::move(payload), now, now).second;
    PIPESCOPE_CHECK(is_new);
    ++box.sent;
  }
  box.filled.notify_all();
  kernels::TellTurns();
  return {};
}

Result<Received> Mailboxes::Receive(const MessageName& name) {
  Box& box = boxes_[static_cast<size_t>(name.to)];
  std::unique_lock lock(box.mutex);
  while (true) {
    const auto at = box.messages.find(name);
    if (at != box.messages.end()) {
      Received received = std::move(at->second);
      box.messages.erase(at);
      return received;
    }
    if (stop_.stopped()) return Fail("stopped while it waited for a message");
    const uint64_t seen = box.sent;
    const auto there = [&] { return box.messages.contains(name) || stop_.stopped(); };
    if (kernels::WaitInTurn(lock, there)) continue;
    if (awake_) {
      lock.unlock();
      WaitAwake([&] { return box.sent != seen || stop_.stopped(); });
      lock.lock();
    }
    if (box.sent == seen) box.filled.wait_for(lock, kPatience);
  }
}

}  // namespace pipescope::executor
