// Sizes of an exchange: who takes part, what a token is, how many SMs carry it through which rings.
//
//   rank      = node x locals + local              one GPU; `locals` GPUs share NVLink
//   expert e  is on rank e / (experts / ranks)
//   channel   a group of warps, each with one role, and their rings; a rank's tokens are split over
//             its channels evenly and in order
//   SMs       a pair of SMs hosts `per_pair` channels: the first SM sends and receives, the second
//             forwards. channels = sms / 2 x per_pair. DeepEP has one channel a pair and several
//             warps a role; here a second warp of a role is a second channel with its own rings.
//
// A row is what travels of a token:
//
//   dispatch  values (hidden bytes of E4M3 and hidden / 128 floats, or 2 hidden bytes of BF16),
//             16 bytes of header, `selected` expert ids and weights
//   combine   2 hidden bytes of BF16, `selected` floats
//
// Example: hidden 7168 in FP8 with 8 experts a token: 7168 + 224 + 16 + 64 = 7472 bytes.
//
// Rings have the names of sim/exchange's Buffers, which are DeepEP's: `nvl_send` rows make one
// NVLink message, `nvl_recv` slots one ring of a channel, a sender and a receiver; `rdma_send` and
// `rdma_recv` the same between nodes. In combine an NVLink ring is cut into one for each node.
#pragma once

#include <cstdint>

#include "sim/base/result.h"

namespace pipescope::kernels::exchange {

inline constexpr int kMostLocals = 8;
inline constexpr int kMostNodes = 20;  // as DeepEP; a warp keeps a counter a lane: 32 at most
inline constexpr int kScaledBy = 128;  // values that share an FP8 scale

enum class Format { kBf16, kFp8 };

struct Buffers {
  int nvl_send = 6;
  int nvl_recv = 256;
  int rdma_send = 6;
  int rdma_recv = 128;
};

constexpr int64_t AlignUp(int64_t size, int64_t to) { return (size + to - 1) / to * to; }

struct Config {
  int nodes = 1;
  int locals = 1;
  int experts = 8;
  int selected = 1;   // experts a token goes to, at most
  int hidden = 7168;  // values of a token
  int tokens = 4096;  // of a rank, at most
  int alignment = 1;  // counts by expert are rounded up to a multiple
  Format format = Format::kFp8;
  int sms = 20;
  int per_pair = 1;
  Buffers dispatch = {};
  Buffers combine = {4, 256, 6, 128};

  constexpr int ranks() const { return nodes * locals; }
  constexpr int channels() const { return sms / 2 * per_pair; }
  constexpr int experts_of_rank() const { return experts / ranks(); }
  constexpr int experts_of_node() const { return experts / nodes; }

  constexpr int NodeOf(int rank) const { return rank / locals; }
  constexpr int LocalOf(int rank) const { return rank % locals; }
  constexpr int RankOf(int node, int local) const { return node * locals + local; }
  constexpr int RankOfExpert(int expert) const { return expert / experts_of_rank(); }
  // Tokens of a rank that has `count`: channel c carries [FirstToken(c), FirstToken(c + 1)).
  constexpr int FirstToken(int channel, int count) const {
    return static_cast<int>(int64_t{count} * channel / channels());
  }

  constexpr bool fp8() const { return format == Format::kFp8; }
  constexpr int64_t value_bytes() const { return int64_t{hidden} * (fp8() ? 1 : 2); }
  constexpr int scales() const { return fp8() ? hidden / kScaledBy : 0; }
  constexpr int64_t dispatch_slot() const {
    return value_bytes() + 16 + AlignUp(4 * int64_t{scales()} + 8 * int64_t{selected}, 16);
  }
  constexpr int64_t combine_slot() const {
    return 2 * int64_t{hidden} + AlignUp(4 * int64_t{selected}, 16);
  }
  // Slots of the ring of one node in combine.
  constexpr int combine_near_slots() const { return combine.nvl_recv / nodes; }
};

// DeepEP's tuned sizes for that many GPUs or the next larger number of its table (its legacy
// buffers' default configurations); `config`'s other fields stay.
Config WithTunedBuffers(Config config);

// Fails, with the field, its value and what was expected, where a size is not possible.
Status CheckConfig(const Config& config);

}  // namespace pipescope::kernels::exchange
