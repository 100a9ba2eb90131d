// Activations and gradients as letters (post.h), numbered by the action that gives them.
//
// When a message left is known to its sender alone, and when it came to nobody if it was there
// before it was asked for: the sender keeps a list, and arrival is then kNotWaitedFor.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "kernels/executor/post.h"
#include "kernels/executor/transport.h"
#include "kernels/turns.h"

namespace pipescope::executor {

inline constexpr Clock::time_point kNotWaitedFor = Clock::time_point::min();

struct Sent {
  MessageName name;
  Clock::time_point at;
};

// Who shares its processor with those it sends to helps what it sends along, and has them look: MPI
// may need both ends for a long letter, and its thread (watch.h) would disturb those at work.
inline void HelpAlong(Post& post) {
  kernels::Turns* const turns = kernels::Turns::Shared();
  if (turns == nullptr || !post.sending()) return;
  for (const int to : post.Progress()) turns->Poke(to);
}

class PostTransport : public Transport {
 public:
  explicit PostTransport(Post& post) : post_(post) {}

  Status Send(const MessageName& name, Payload payload) override {
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back({name, Clock::now()});
    }
    return post_.Send<float>(name.to, NumberOf(name), std::move(payload));
  }

  void Progress() override { HelpAlong(post_); }

  Result<Received> Receive(const MessageName& name) override {
    if (auto there = post_.Take<float>(name.from, NumberOf(name))) {
      return Received{*std::move(there), kNotWaitedFor, kNotWaitedFor};
    }
    auto waited = post_.Receive<float>(name.from, NumberOf(name));
    if (!waited) return Fail(waited.error());
    return Received{*std::move(waited), kNotWaitedFor, Clock::now()};
  }

  // Once nobody sends any more.
  const std::vector<Sent>& sent() const { return sent_; }

 private:
  static int32_t NumberOf(const MessageName& name) {
    return 2 * name.action + (name.backward ? 1 : 0);
  }

  Post& post_;
  std::mutex mutex_;
  std::vector<Sent> sent_;
};

}  // namespace pipescope::executor
