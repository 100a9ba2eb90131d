// A warp of several lanes on a CPU: each lane is a fiber with its own role, as each lane of a GPU
// has its own registers. Where lanes must meet (ring.h), all run up to the meeting, one after the
// other, lane 0 first. So a role whose lanes part ways, one that reads before it has met what other
// lanes write, and one that leaves a lane's share undone are found without a GPU.
#pragma once

#include <gtest/gtest.h>
#include <ucontext.h>

#include <array>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "kernels/exchange/cpu_fabric.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

inline constexpr int kTestLanes = 3;

// The lanes of one warp, and where they last met.
class Lanes {
 public:
  enum Meeting { kSync, kSum, kGet, kFlag, kSignal, kCounter, kAdd, kPut, kStep };

  explicit Lanes(std::function<void(int lane)> body) : body_(std::move(body)) {
    for (int lane = 0; lane < kTestLanes; ++lane) Start(lane);
  }

  // Runs all lanes to the end of their step.
  void Step() {
    do {
      for (lane_ = 0; lane_ < kTestLanes; ++lane_) {
        current_ = this;
        swapcontext(&main_, &contexts_[Index()]);
      }
      told_ = said_;
      for (int lane = 1; lane < kTestLanes; ++lane) {
        if (places_[static_cast<size_t>(lane)] == places_[0]) continue;
        std::fprintf(stderr, "lanes 0 and %d part: they meet at %d and %d\n", lane, places_[0],
                     places_[static_cast<size_t>(lane)]);
        std::abort();
      }
    } while (places_[0] != kStep);
  }

  // Called by a lane: what each lane said at this meeting.
  static const std::array<uint64_t, kTestLanes>& Meet(Meeting place, int key, uint64_t says) {
    Lanes& lanes = *current_;
    lanes.places_[lanes.Index()] = place + 16 * key;
    lanes.said_[lanes.Index()] = says;
    swapcontext(&lanes.contexts_[lanes.Index()], &lanes.main_);
    return lanes.told_;
  }
  static int lane() { return current_->lane_; }

 private:
  static constexpr size_t kStack = size_t{1} << 17;

  void Start(int lane) {
    ucontext_t& context = contexts_[static_cast<size_t>(lane)];
    stacks_[static_cast<size_t>(lane)] = std::make_unique<char[]>(kStack);
    getcontext(&context);
    context.uc_stack.ss_sp = stacks_[static_cast<size_t>(lane)].get();
    context.uc_stack.ss_size = kStack;
    context.uc_link = nullptr;
    makecontext(&context, &Lanes::Enter, 0);
  }
  static void Enter() { current_->body_(current_->lane_); }
  size_t Index() const { return static_cast<size_t>(lane_); }

  static inline Lanes* current_ = nullptr;

  std::function<void(int)> body_;
  int lane_ = 0;
  ucontext_t main_ = {};
  std::array<ucontext_t, kTestLanes> contexts_ = {};
  std::array<std::unique_ptr<char[]>, kTestLanes> stacks_;
  std::array<int, kTestLanes> places_ = {};
  std::array<uint64_t, kTestLanes> said_ = {};
  std::array<uint64_t, kTestLanes> told_ = {};
};

class LaneFabric {
 public:
  static constexpr int kLanes = kTestLanes;

  // Key k lives in one lane, as on a GPU, where every lane has one.
  class Counters {
   public:
    uint64_t Get(int key) const {
      const size_t lane = static_cast<size_t>(key % kLanes);
      return Lanes::Meet(Lanes::kGet, key, values_[static_cast<size_t>(key)])[lane];
    }
    void Set(int key, uint64_t value) {
      if (Lanes::lane() == key % kLanes) values_[static_cast<size_t>(key)] = value;
    }

   private:
    std::array<uint64_t, kMostNodes> values_ = {};
  };

  explicit LaneFabric(const CpuFabric& memory) : memory_(memory) {}

  int lane() const { return Lanes::lane(); }
  void Sync() const { Lanes::Meet(Lanes::kSync, 0, 0); }
  int Sum(int value) const {
    const auto& all = Lanes::Meet(Lanes::kSum, 0, static_cast<uint64_t>(value));
    return static_cast<int>(std::accumulate(all.begin(), all.end(), uint64_t{0}));
  }
  std::byte* Own(int64_t at) const { return memory_.Own(at); }
  std::byte* Near(int local, int64_t at) const { return memory_.Near(local, at); }
  void Copy(std::byte* to, const std::byte* from, int64_t bytes) const {
    for (int64_t at = 16 * lane(); at < bytes; at += 16 * kLanes) {
      memory_.Copy(to + at, from + at, 16);
    }
  }
  Eight Load(const std::byte* from) const { return memory_.Load(from); }
  void Store(std::byte* to, const Eight& eight) const { memory_.Store(to, eight); }

  uint64_t Flag(int flag) const {
    return Lanes::Meet(Lanes::kFlag, flag, lane() == 0 ? memory_.Flag(flag) : 0)[0];
  }
  uint64_t Counter(int counter) const {
    return Lanes::Meet(Lanes::kCounter, counter, lane() == 0 ? memory_.Counter(counter) : 0)[0];
  }
  void Signal(int local, int flag, uint64_t value) const {
    Lanes::Meet(Lanes::kSignal, flag, 0);
    if (lane() == 0) memory_.Signal(local, flag, value);
  }
  void Add(int node, int counter, uint64_t n) const {
    Lanes::Meet(Lanes::kAdd, counter, 0);
    if (lane() == 0) memory_.Add(node, counter, n);
  }
  void Put(int node, int64_t to, int64_t from, int64_t bytes, int counter, uint64_t n) const {
    Lanes::Meet(Lanes::kPut, counter, 0);
    if (lane() == 0) memory_.Put(node, to, from, bytes, counter, n);
  }
  uint64_t Cursor(int cursor) const { return memory_.Cursor(cursor); }
  void SetCursor(int cursor, uint64_t value) const {
    if (lane() == 0) memory_.SetCursor(cursor, value);
  }

 private:
  const CpuFabric memory_;
};

struct LaneWarps {
  using Fabric = LaneFabric;

  template <class R, class... Peer>
  static Task Make(const CpuFabric& memory, const Rank& rank, Peer... peer) {
    auto progress = std::make_shared<std::array<Progress, kTestLanes>>();
    auto lanes = std::make_shared<Lanes>([=, &rank](int lane) {
      LaneFabric fabric(memory);
      R role(rank, fabric, peer...);
      for (;;) {
        (*progress)[static_cast<size_t>(lane)] = role.Step(fabric);
        Lanes::Meet(Lanes::kStep, 0, 0);
      }
    });
    return [progress, lanes] {
      lanes->Step();
      for (Progress of_lane : *progress) EXPECT_EQ(of_lane, progress->front());
      return progress->front();
    };
  }
};

}  // namespace pipescope::kernels::exchange
