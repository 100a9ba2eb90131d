// The warps of a block on the CPU: a thread a lane, and the tensor core's instructions by the
// layouts that PTX's manual gives (ldmatrix, mma.m16n8k16), so that device code's fragments, rows
// and masks are those a GPU would see.
#pragma once

#include <array>
#include <barrier>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/train/device/mma.h"

namespace pipescope::kernels {

class WarpTeam {
 public:
  using Bf16 = device::Bf16;

  // What the lanes of one warp hand each other. Two places in turn: who writes the second has met
  // all that read the first.
  struct Lane {
    const Bf16* row = nullptr;
    std::array<uint32_t, 4> a = {};
    std::array<uint32_t, 2> b = {};
    float x = 0;
  };
  struct Warp {
    std::barrier<> meeting{32};
    std::array<std::array<Lane, 32>, 2> lanes;
  };
  struct Shared {
    explicit Shared(int count) : warps(static_cast<size_t>(count)), meeting(32 * count) {}
    std::vector<Warp> warps;
    std::barrier<> meeting;
  };

  WarpTeam(Shared& shared, int thread)
      : shared_(shared), mine_(shared.warps[static_cast<size_t>(thread / 32)]), thread_(thread) {}

  int thread() const { return thread_; }
  int threads() const { return 32 * static_cast<int>(shared_.warps.size()); }
  int warp() const { return thread_ / 32; }
  int lane() const { return thread_ % 32; }
  void Sync() { shared_.meeting.arrive_and_wait(); }

  template <bool turned>
  void Load4(uint32_t (&r)[4], const Bf16* row) {
    const auto& all = Meet({.row = row});
    const int g = lane() / 4, t = lane() % 4;
    for (int i = 0; i < 4; ++i) {
      const auto value = [&](int of_row, int column) {
        return uint32_t{all[static_cast<size_t>(8 * i + of_row)].row[column].code};
      };
      r[i] = turned ? value(2 * t, g) | value(2 * t + 1, g) << 16
                    : value(g, 2 * t) | value(g, 2 * t + 1) << 16;
    }
  }

  void Mma(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const auto& all = Meet({.a = {a[0], a[1], a[2], a[3]}, .b = {b0, b1}});
    for (int e = 0; e < 4; ++e) {
      const int row = lane() / 4 + e / 2 * 8, column = lane() % 4 * 2 + e % 2;
      float sum = 0;
      for (int k = 0; k < 16; ++k) sum += Left(all, row, k) * Right(all, k, column);
      c[e] += sum;
    }
  }

  uint32_t Pack(float low, float high) { return ToBf16(low) | ToBf16(high) << 16; }

  float QuadSum(float x) {
    const auto& all = Meet({.x = x});
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += all[static_cast<size_t>(lane() / 4 * 4 + i)].x;
    return sum;
  }
  float QuadMax(float x) {
    const auto& all = Meet({.x = x});
    for (int i = 0; i < 4; ++i) x = std::max(x, all[static_cast<size_t>(lane() / 4 * 4 + i)].x);
    return x;
  }

 private:
  const std::array<Lane, 32>& Meet(const Lane& mine) {
    auto& lanes = mine_.lanes[place_];
    place_ = 1 - place_;
    lanes[static_cast<size_t>(lane())] = mine;
    mine_.meeting.arrive_and_wait();
    return lanes;
  }
  static float Half(uint32_t pair, int upper) {
    return FromBf16(upper ? pair >> 16 : pair & 0xffff);
  }
  // a0 and a1 are rows g and g + 8 of columns 2 t, a2 and a3 the same of columns 2 t + 8.
  static float Left(const std::array<Lane, 32>& all, int row, int k) {
    const auto& holder = all[static_cast<size_t>(row % 8 * 4 + k % 8 / 2)];
    return Half(holder.a[static_cast<size_t>(row / 8 + 2 * (k / 8))], k % 2);
  }
  // b0 is rows 2 t of column g, b1 rows 2 t + 8.
  static float Right(const std::array<Lane, 32>& all, int k, int column) {
    const auto& holder = all[static_cast<size_t>(column * 4 + k % 8 / 2)];
    return Half(holder.b[static_cast<size_t>(k / 8)], k % 2);
  }

  Shared& shared_;
  Warp& mine_;
  const int thread_;
  size_t place_ = 0;
};

// Runs `body(team)` on the lanes of `warps` warps.
template <class Body>
void OnTeam(int warps, const Body& body) {
  WarpTeam::Shared shared(warps);
  std::vector<std::thread> threads;
  for (int i = 0; i < 32 * warps; ++i) {
    threads.emplace_back([&, i] {
      WarpTeam team(shared, i);
      body(team);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace pipescope::kernels
