// Ranks in one process' memory, for ranks that are threads of a CPU: a warp of one lane. Flags and
// counters are C++ atomics; a put is a copy. ring.h says what a fabric must do.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <vector>

#include "kernels/exchange/ring.h"
#include "kernels/exchange/sum.h"

namespace pipescope::kernels::exchange {

class CpuFabric {
 public:
  static constexpr int kLanes = 1;

  class Counters {
   public:
    uint64_t Get(int key) const { return values_[static_cast<size_t>(key)]; }
    void Set(int key, uint64_t value) { values_[static_cast<size_t>(key)] = value; }

   private:
    std::array<uint64_t, kMostNodes> values_;
  };
  static_assert(kMostNodes >= kMostLocals);

  // `windows` has one for each rank, each of window.bytes(), zero at first, aligned to 16.
  CpuFabric(const Window& window, const Config& config, const std::vector<std::byte*>& windows,
            int rank)
      : flags_(window.FlagsAt()),
        counters_(window.CountersAt()),
        cursors_(window.CursorsAt()),
        config_(config),
        windows_(windows),
        rank_(rank) {}

  int lane() const { return 0; }
  void Sync() const {}
  int Sum(int value) const { return value; }

  std::byte* Own(int64_t at) const { return At(rank_) + at; }
  std::byte* Near(int local, int64_t at) const { return At(NearRank(local)) + at; }
  void Copy(std::byte* to, const std::byte* from, int64_t bytes) const {
    std::memcpy(to, from, static_cast<size_t>(bytes));
  }
  Eight Load(const std::byte* from) const {
    Eight eight;
    std::memcpy(&eight, from, sizeof(eight));
    return eight;
  }
  void Store(std::byte* to, const Eight& eight) const { std::memcpy(to, &eight, sizeof(eight)); }

  uint64_t Flag(int flag) const {
    return Word(rank_, flags_, flag).load(std::memory_order_acquire);
  }
  void Signal(int local, int flag, uint64_t value) const {
    Word(NearRank(local), flags_, flag).store(value, std::memory_order_release);
  }
  uint64_t Counter(int counter) const {
    return Word(rank_, counters_, counter).load(std::memory_order_acquire);
  }
  void Add(int node, int counter, uint64_t n) const {
    Word(FarRank(node), counters_, counter).fetch_add(n, std::memory_order_release);
  }
  void Put(int node, int64_t to, int64_t from, int64_t bytes, int counter, uint64_t n) const {
    Copy(At(FarRank(node)) + to, Own(from), bytes);
    Add(node, counter, n);
  }
  uint64_t Cursor(int cursor) const { return *PlainWord(cursor); }
  void SetCursor(int cursor, uint64_t value) const { *PlainWord(cursor) = value; }

 private:
  std::byte* At(int rank) const { return windows_[static_cast<size_t>(rank)]; }
  int NearRank(int local) const { return config_.RankOf(config_.NodeOf(rank_), local); }
  int FarRank(int node) const { return config_.RankOf(node, config_.LocalOf(rank_)); }
  std::atomic_ref<uint64_t> Word(int rank, int64_t words, int index) const {
    return std::atomic_ref<uint64_t>(
        *reinterpret_cast<uint64_t*>(At(rank) + words + index * Window::kWordStride));
  }
  uint64_t* PlainWord(int index) const {
    return reinterpret_cast<uint64_t*>(Own(cursors_ + index * Window::kWordStride));
  }

  const int64_t flags_, counters_, cursors_;
  const Config& config_;
  const std::vector<std::byte*>& windows_;
  const int rank_;
};

}  // namespace pipescope::kernels::exchange
