// The memory of a rank that others write: the same places on every rank ("symmetric"), so that an
// offset says all. Near peers (NVLink) reach it by pointer, far ones (the network) by put.
//
//   bytes     rings, and the counts that the notify exchanges
//   flags     64-bit words that near peers set, release to acquire: tails and heads of near rings
//   counters  64-bit words that far peers add to, each addition after the puts before it
//   cursors   64-bit words of the rank alone: where a ring's end stood when the last call ended
//
// A tail counts the rows ever written to a ring, a head those ever taken from it. They only grow,
// also from call to call: nothing is cleared between calls, and no call begins with a barrier. (A
// NIC's signals can be added to, not set; so counters that only grow serve NCCL's device API too.)
//
// Example: 2 nodes x 8, 20 SMs, FP8 rows of 7168 values with 8 of 256 experts, DeepEP's buffers for
// 16 GPUs: 587 MiB.
#pragma once

#include "kernels/exchange/config.h"

namespace pipescope::kernels::exchange {

// Where one ring is, and what tells its two ends of each other.
struct Ring {
  int64_t at = 0;     // first slot, at the reader
  int64_t stage = 0;  // far rings: first slot of the writer's copy, which the NIC reads
  int64_t slot_bytes = 0;
  int slots = 0;
  int chunk = 0;  // rows of a message, and of a credit
  bool far = false;
  int tail = 0;          // flag or counter at the reader
  int head = 0;          // flag or counter at the writer
  int sent = 0;          // the writer's cursor
  int taken = 0;         // the reader's cursor
  int from = 0, to = 0;  // node where far, else local
};

// Rings of channel c, seen alike from both ends. `n` is a node, `i` and `j` locals. The
// configuration must outlive it.
class Window {
 public:
  constexpr explicit Window(const Config& config) : config_(config) {}

  // Dispatch: from node `from` to node `to`, between GPUs of one index; local i to j on a node.
  constexpr Ring DispatchFar(int c, int from, int to) const {
    return Far(kDispatchFar, c, from, to, config_.dispatch, config_.dispatch_slot(), 0);
  }
  constexpr Ring DispatchNear(int c, int i, int j) const {
    const Config& g = config_;
    const int per = g.channels() * g.locals;
    return {.at = DispatchNearAt() + (c * g.locals + i) * g.dispatch_slot() * g.dispatch.nvl_recv,
            .slot_bytes = g.dispatch_slot(),
            .slots = g.dispatch.nvl_recv,
            .chunk = g.dispatch.nvl_send,
            .tail = FlagOfDispatch() + c * g.locals + i,
            .head = FlagOfDispatch() + per + c * g.locals + j,
            .sent = CursorOfNear() + c * g.locals + j,
            .taken = CursorOfNear() + per + c * g.locals + i,
            .from = i,
            .to = j};
  }
  // Combine: rows of node n's tokens from local j to the forwarder, local i; then back to n.
  constexpr Ring CombineNear(int c, int j, int i, int n) const {
    const Config& g = config_;
    const int per = g.channels() * g.locals * g.nodes;
    const int at_reader = (c * g.locals + j) * g.nodes + n;
    const int at_writer = (c * g.locals + i) * g.nodes + n;
    const int cursors = CursorOfNear() + 2 * g.channels() * g.locals;
    return {.at = CombineNearAt() + at_reader * g.combine_slot() * g.combine_near_slots(),
            .slot_bytes = g.combine_slot(),
            .slots = g.combine_near_slots(),
            .chunk = g.combine.nvl_send,
            .tail = FlagOfCombine() + at_reader,
            .head = FlagOfCombine() + per + at_writer,
            .sent = cursors + at_writer,
            .taken = cursors + per + at_reader,
            .from = j,
            .to = i};
  }
  constexpr Ring CombineFar(int c, int from, int to) const {
    return Far(kCombineFar, c, from, to, config_.combine, config_.combine_slot(),
               DispatchFarBytes());
  }
  // The same for rows that stay on the node: a ring of a rank to itself.
  constexpr Ring CombineOwn(int c, int node, int local) const {
    Ring ring = CombineFar(c, node, node);
    ring.far = false;
    ring.tail = FlagOfOwn() + c;
    ring.head = FlagOfOwn() + config_.channels() + c;
    ring.from = ring.to = local;
    return ring;
  }

  // Flag: how far forwarder j of channel c is in the ring from node n.
  constexpr int Forwarded(int c, int n, int j) const {
    return FlagOfForwarded() + (c * config_.nodes + n) * config_.locals + j;
  }

  // The notify. Counts of a far block: [channel][1 + locals + experts of a node]; of a near block:
  // [channel][1 + experts of a rank].
  constexpr int far_block() const {
    return config_.channels() * (1 + config_.locals + config_.experts_of_node());
  }
  constexpr int near_block() const { return config_.channels() * (1 + config_.experts_of_rank()); }
  constexpr int64_t FarBlockOut(int node) const { return node * FarBlockBytes(); }
  constexpr int64_t FarBlockIn(int node) const { return (config_.nodes + node) * FarBlockBytes(); }
  constexpr int64_t NearBlock(int rank) const {
    return 2 * config_.nodes * FarBlockBytes() + rank * NearBlockBytes();
  }
  constexpr int MeetFlag(int local) const { return local; }
  constexpr int CountsFlag(int local) const { return config_.locals + local; }
  constexpr int MeetCounter() const { return 0; }
  constexpr int CountsCounter(int node) const { return 1 + node; }
  constexpr int EpochCursor() const { return 0; }

  constexpr int flags() const { return FlagOfForwarded() + Streams() * config_.locals; }
  constexpr int counters() const { return CounterOfRings() + 4 * Streams(); }
  constexpr int cursors() const {
    const Config& g = config_;
    return CursorOfNear() + 2 * g.channels() * g.locals * (1 + g.nodes);
  }
  // Words are 64 bytes apart, so that no two ends share a cache line.
  static constexpr int64_t kWordStride = 64;
  constexpr int64_t FlagsAt() const { return CombineNearAt() + CombineNearBytes(); }
  constexpr int64_t CountersAt() const { return FlagsAt() + flags() * kWordStride; }
  constexpr int64_t CursorsAt() const { return CountersAt() + counters() * kWordStride; }
  constexpr int64_t bytes() const { return CursorsAt() + cursors() * kWordStride; }

 private:
  enum FarKind { kDispatchFar, kCombineFar };

  constexpr Ring Far(FarKind kind, int c, int from, int to, const Buffers& buffers, int64_t slot,
                     int64_t skip) const {
    const int64_t ring = slot * buffers.rdma_recv;
    const int64_t begin = FarAt() + skip;
    const int at_reader = c * config_.nodes + from;
    const int at_writer = c * config_.nodes + to;
    const int first = 2 * kind * Streams();
    return {.at = begin + at_reader * ring,
            .stage = begin + (Streams() + at_writer) * ring,
            .slot_bytes = slot,
            .slots = buffers.rdma_recv,
            .chunk = buffers.rdma_send,
            .far = true,
            .tail = CounterOfRings() + first + at_reader,
            .head = CounterOfRings() + first + Streams() + at_writer,
            .sent = CursorOfFar() + first + at_writer,
            .taken = CursorOfFar() + first + Streams() + at_reader,
            .from = from,
            .to = to};
  }

  constexpr int Streams() const { return config_.channels() * config_.nodes; }
  constexpr int64_t FarBlockBytes() const { return AlignUp(4 * int64_t{far_block()}, 128); }
  constexpr int64_t NearBlockBytes() const { return AlignUp(4 * int64_t{near_block()}, 128); }
  constexpr int64_t FarAt() const { return NearBlock(config_.ranks()); }
  // One node has no far rings, and forwards straight to the output.
  constexpr int64_t FarBytes(int64_t slot, int slots) const {
    return config_.nodes == 1 ? 0 : AlignUp(2 * Streams() * slot * slots, 128);
  }
  constexpr int64_t DispatchFarBytes() const {
    return FarBytes(config_.dispatch_slot(), config_.dispatch.rdma_recv);
  }
  constexpr int64_t DispatchNearAt() const {
    return FarAt() + DispatchFarBytes() +
           FarBytes(config_.combine_slot(), config_.combine.rdma_recv);
  }
  constexpr int64_t CombineNearAt() const {
    const Config& g = config_;
    return DispatchNearAt() +
           AlignUp(g.channels() * g.locals * g.dispatch_slot() * g.dispatch.nvl_recv, 128);
  }
  constexpr int64_t CombineNearBytes() const {
    const Config& g = config_;
    const int64_t slots = int64_t{g.combine_near_slots()} * g.nodes;
    return AlignUp(g.channels() * g.locals * slots * g.combine_slot(), 128);
  }

  constexpr int FlagOfDispatch() const { return 2 * config_.locals; }
  constexpr int FlagOfCombine() const {
    return FlagOfDispatch() + 2 * config_.channels() * config_.locals;
  }
  constexpr int FlagOfOwn() const { return FlagOfCombine() + 2 * Streams() * config_.locals; }
  constexpr int FlagOfForwarded() const { return FlagOfOwn() + 2 * config_.channels(); }
  constexpr int CounterOfRings() const { return 1 + config_.nodes; }
  constexpr int CursorOfFar() const { return 1; }
  constexpr int CursorOfNear() const { return CursorOfFar() + 4 * Streams(); }

  const Config& config_;
};

}  // namespace pipescope::kernels::exchange
