// Letters between the processes of a job: lists of numbers, by sender and number.
//
//   post.Send(2, 17, std::move(floats));           goes on at once
//   auto floats = post.Receive<float>(0, 17);      waits; in the order in which 0 sent
//
// MPI has no waiting that leaves the processor to others, so who waits looks again and again: for
// kAwake without a pause where each rank has a processor (spin.h), then every kNap. Where processes
// take turns (kernels/turns.h) it leaves its own to others, and who sends pokes the one it sends
// to. What sends of the same number and type to the same rank overtakes nothing. Any thread may
// call.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <variant>
#include <vector>

#include "kernels/executor/stop.h"
#include "kernels/executor/wire.h"
#include "sim/base/result.h"

namespace pipescope::executor {

// Where ranks have a processor each, and where they share some.
inline constexpr std::chrono::microseconds kNap{20}, kSharedNap{100};

class Post : private Wire::Sink {
 public:
  // `stop` outlives this; who waits when it is set fails. What fails here sets it: others may wait
  // for it.
  Post(std::unique_ptr<Wire> wire, Stop& stop, bool awake);

  int rank() const { return wire_->rank(); }
  int ranks() const { return wire_->ranks(); }

  template <class T>
  Status Send(int to, int32_t number, std::shared_ptr<const std::vector<T>> values) {
    const size_t bytes = values->size() * sizeof(T);
    const auto* data = values->data();
    return SendBytes(to, TagOf<T>(number), {std::move(values), data}, bytes);
  }
  template <class T>
  Status Send(int to, int32_t number, std::vector<T> values) {
    return Send<T>(to, number, std::make_shared<const std::vector<T>>(std::move(values)));
  }

  // `awake`: without pauses, however few processors there are; for what takes microseconds.
  template <class T>
  Result<std::vector<T>> Receive(int from, int32_t number, bool awake = false) {
    auto letter = Wait({from, TagOf<T>(number)}, awake);
    if (!letter) return Fail(letter.error());
    return std::get<std::vector<T>>(std::move(*letter));
  }
  // Nothing where it has not come.
  template <class T>
  std::optional<std::vector<T>> Take(int from, int32_t number) {
    auto letter = Look({from, TagOf<T>(number)});
    if (!letter) return {};
    return std::get<std::vector<T>>(std::move(*letter));
  }

  // Whether something has been sent that may not be there yet.
  bool sending();
  // Moves on what is under way; to whom there is still something to send.
  std::set<int> Progress();

 private:
  using Letter = std::variant<std::vector<float>, std::vector<double>, std::vector<char>>;
  using Key = std::pair<int, int>;  // sender, tag
  struct Coming {
    Key key;
    Letter letter;
  };

  static constexpr int kTypes = 3;
  template <class T>
  static int TagOf(int32_t number) {
    constexpr int kType = std::is_same_v<T, float> ? 0 : std::is_same_v<T, double> ? 1 : 2;
    static_assert(kType < 2 || std::is_same_v<T, char>);
    return number * kTypes + kType;
  }

  Status SendBytes(int to, int tag, std::shared_ptr<const void> data, size_t bytes);
  Result<Letter> Wait(const Key& key, bool awake);
  std::optional<Letter> Look(const Key& key);
  bool Begun(const Key& key);
  void* Room(const Wire::Arrival& arrival) override;
  void Arrived(const Wire::Arrival& arrival, void* room) override;

  std::mutex mutex_;  // of all that follows
  std::unique_ptr<Wire> wire_;
  Stop& stop_;
  const bool awake_;
  std::map<void*, Coming> coming_;  // by where its values are
  std::map<Key, std::deque<Letter>> letters_;
  std::atomic<uint64_t> moved_ = 0;  // how often a letter began to come, or was there
};

}  // namespace pipescope::executor
