// What a training kernel's body needs of the threads that run it, and how it walks a row.
//
// The bodies in this folder are written once, as templates over a Block: a group of lanes that work
// on one row together. On a GPU that is a thread block (cuda_block.cuh), in tests one thread or
// several of the CPU. A Block gives
//   lane(), lanes()      who I am, and of how many
//   Sum(x), Max(x)       over all lanes, the same to all, in a fixed order; all lanes take part
//   Sync()               all lanes meet, and see what the others wrote before
//
// Rows are read and written 16 bytes at a time: widths are multiples of kWide<T>, and rows start at
// multiples of 16 bytes. Values are FP32 inside, BF16 or FP32 in memory.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/bf16_code.h"
#include "kernels/target.h"

namespace pipescope::kernels::device {

struct Bf16 {
  uint16_t code = 0;
};

PIPESCOPE_BOTH float Load(float value) { return value; }
PIPESCOPE_BOTH float Load(Bf16 value) { return FromBf16(value.code); }
PIPESCOPE_BOTH void Store(float& to, float value) { to = value; }
PIPESCOPE_BOTH void Store(Bf16& to, float value) { to.code = static_cast<uint16_t>(ToBf16(value)); }

template <class T>
inline constexpr int kWide = 16 / sizeof(T);

// Sixteen bytes of T as FP32.
template <class T>
struct Wide {
  float v[kWide<T>];
};

template <class T>
struct alignas(16) Packed {
  T v[kWide<T>];
};

template <class T>
PIPESCOPE_BOTH Wide<T> LoadWide(const T* from) {
  const Packed<T> packed = *reinterpret_cast<const Packed<T>*>(from);
  Wide<T> wide;
  PIPESCOPE_UNROLL
  for (int i = 0; i < kWide<T>; ++i) wide.v[i] = Load(packed.v[i]);
  return wide;
}

template <class T>
PIPESCOPE_BOTH void StoreWide(T* to, const Wide<T>& wide) {
  Packed<T> packed;
  PIPESCOPE_UNROLL
  for (int i = 0; i < kWide<T>; ++i) Store(packed.v[i], wide.v[i]);
  *reinterpret_cast<Packed<T>*>(to) = packed;
}

// As many values of another type, such as FP32 weights beside BF16 rows: kWide<T> of them, in as
// many loads of 16 bytes as they take.
template <class T, class U>
PIPESCOPE_BOTH Wide<T> LoadBeside(const U* from) {
  Wide<T> wide;
  constexpr int kEach = kWide<U>;
  static_assert(kWide<T> % kEach == 0);
  PIPESCOPE_UNROLL
  for (int part = 0; part < kWide<T> / kEach; ++part) {
    const Wide<U> some = LoadWide(from + part * kEach);
    PIPESCOPE_UNROLL
    for (int i = 0; i < kEach; ++i) wide.v[part * kEach + i] = some.v[i];
  }
  return wide;
}

// visit(c) for every kWide<T>-th column c that is this lane's.
template <class T, class Block, class Visit>
PIPESCOPE_BOTH void ForColumns(const Block& block, int64_t columns, const Visit& visit) {
  for (int64_t c = int64_t{block.lane()} * kWide<T>; c < columns;
       c += int64_t{block.lanes()} * kWide<T>) {
    visit(c);
  }
}

}  // namespace pipescope::kernels::device
