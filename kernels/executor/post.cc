#include "kernels/executor/post.h"

#include <algorithm>
#include <thread>

#include "kernels/executor/spin.h"
#include "kernels/executor/thread_seconds.h"
#include "kernels/turns.h"

namespace pipescope::executor {
namespace {

// A letter that has begun to come is there after so many looks, unless its sender has to help.
constexpr int kLooks = 20;

// Adds up what a thread takes to wait: but for looks that brought some letter further.
class InVain {
 public:
  explicit InVain(const std::atomic<uint64_t>& moved) : moved_(moved), seen_(moved) {}
  void Add() {
    const double now = ThreadSeconds();
    const uint64_t moved = moved_;
    if (moved == seen_) SecondsWaited() += now - since_;
    since_ = now;
    seen_ = moved;
  }

 private:
  const std::atomic<uint64_t>& moved_;
  uint64_t seen_;
  double since_ = ThreadSeconds();
};

}  // namespace

Post::Post(std::unique_ptr<Wire> wire, Stop& stop, bool awake)
    : wire_(std::move(wire)), stop_(stop), awake_(awake) {}

Status Post::SendBytes(int to, int tag, std::shared_ptr<const void> data, size_t bytes) {
  std::unique_lock lock(mutex_);
  const auto fail = [this](const std::string& why) {
    stop_.Fail(why);
    return Fail(why);
  };
  if (tag < 0 || tag > wire_->largest_tag()) {
    return fail("MPI numbers messages up to " + std::to_string(wire_->largest_tag()) +
                " only: expected a smaller schedule");
  }
  if (const char* error = wire_->Send(to, tag, std::move(data), bytes); error != nullptr) {
    return fail(std::string("MPI: ") + error);
  }
  lock.unlock();
  if (kernels::Turns* const turns = kernels::Turns::Shared()) turns->Poke(to);
  return {};
}

std::optional<Post::Letter> Post::Look(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (const char* error = wire_->Poll(*this); error != nullptr) {
    stop_.Fail(std::string("MPI: ") + error);
  }
  const auto at = letters_.find(key);
  if (at == letters_.end()) return {};
  Letter letter = std::move(at->second.front());
  at->second.pop_front();
  if (at->second.empty()) letters_.erase(at);
  return letter;
}

Result<Post::Letter> Post::Wait(const Key& key, bool awake) {
  const auto start = std::chrono::steady_clock::now();
  InVain in_vain(moved_);
  kernels::Turns* const turns = kernels::Turns::Shared();
  int looks = 0;  // since it began to come
  while (true) {
    const uint32_t seen = turns == nullptr ? 0 : turns->pokes(rank());
    if (auto letter = Look(key)) return *std::move(letter);
    if (stop_.stopped()) return Fail("stopped while it waited for a message");
    const bool spin = awake || (awake_ && std::chrono::steady_clock::now() - start < kAwake);
    if (turns != nullptr) {
      if (!Begun(key) || ++looks > kLooks) turns->AwaitPoke(rank(), seen);
    } else if (!spin) {
      std::this_thread::sleep_for(awake_ ? kNap : kSharedNap);
    }
    in_vain.Add();
  }
}

// Whether the letter is on its way in: MPI brings it while it is asked.
bool Post::Begun(const Key& key) {
  const std::lock_guard lock(mutex_);
  return std::any_of(coming_.begin(), coming_.end(),
                     [&](const auto& coming) { return coming.second.key == key; });
}

bool Post::sending() {
  const std::lock_guard lock(mutex_);
  return !wire_->sending_to().empty();
}

std::set<int> Post::Progress() {
  const std::lock_guard lock(mutex_);
  if (const char* error = wire_->Poll(*this); error != nullptr) {
    stop_.Fail(std::string("MPI: ") + error);
  }
  return wire_->sending_to();
}

void* Post::Room(const Wire::Arrival& arrival) {
  ++moved_;
  const auto keep = [&](auto values) -> void* {
    // An empty list has no place of its own: one value, cut off when it is there.
    values.resize(std::max<size_t>(1, arrival.bytes / sizeof(values[0])));
    void* const at = values.data();
    coming_.emplace(at, Coming{{arrival.from, arrival.tag}, std::move(values)});
    return at;
  };
  const int type = arrival.tag % kTypes;
  if (type == 0) return keep(std::vector<float>());
  if (type == 1) return keep(std::vector<double>());
  return keep(std::vector<char>());
}

void Post::Arrived(const Wire::Arrival& arrival, void* room) {
  ++moved_;
  auto node = coming_.extract(room);
  Letter& letter = node.mapped().letter;
  std::visit([&](auto& values) { values.resize(arrival.bytes / sizeof(values[0])); }, letter);
  letters_[{arrival.from, arrival.tag}].push_back(std::move(letter));
}

}  // namespace pipescope::executor
