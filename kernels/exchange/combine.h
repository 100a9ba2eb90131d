// Combine: the way back. A token's rows are added up on each node, then over the nodes.
//
//   send     (channel, GPU of the node)  copies rows that came through that GPU back to it, a ring
//                                        for each node they came from, in turn
//   forward  (channel, node)             adds up a token's rows of this node, one from each GPU
//                                        that has it, and puts the sum to that node
//   receive  (channel)                   adds up a token's sums of all nodes, writes the result
//
// On one node, forward writes the result; receive only zeroes tokens that went nowhere.
//
// Sums are in FP32, over GPUs in the order of their index and then over nodes in theirs, starting
// from +0; each hop's result is rounded to BF16. So results are a function of the inputs alone:
//
//   node sum s[n] = bf16(((0 + x[j0]) + x[j1]) + ...)        result = bf16(((0 + s[n0]) + s[n1])
//   ...)
//
// Weights are summed alike, without rounding. The gradient of dispatch is a combine and that of
// combine a dispatch with the same plan.
#pragma once

#include "kernels/exchange/plan.h"
#include "kernels/exchange/ring.h"
#include "kernels/exchange/sum.h"

namespace pipescope::kernels::exchange {

template <class Fabric>
class CombineSend {
 public:
  PIPESCOPE_BOTH CombineSend(const Rank& rank, Fabric& f, int channel, int local)
      : rank_(rank), window_(rank.config), channel_(channel), local_(local) {
    for (int n = 0; n < rank.config.nodes; ++n) {
      writers_.Open(f, n, RingFor(n));
      sent_.Set(n, 0);
    }
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    bool moved = false;
    bool done = true;
    for (int n = 0; n < rank_.config.nodes; ++n) {
      moved |= SendFor(f, n);
      done &= static_cast<int>(sent_.Get(n)) == rank_.plan.row_rows[StreamOf(n)];
    }
    if (!done) return moved ? Progress::kMoved : Progress::kWaits;
    for (int n = 0; n < rank_.config.nodes; ++n) writers_.Close(f, n, RingFor(n));
    return Progress::kDone;
  }

 private:
  PIPESCOPE_BOTH Ring RingFor(int n) const {
    return window_.CombineNear(channel_, rank_.local, local_, n);
  }
  PIPESCOPE_BOTH int StreamOf(int n) const {
    return rank_.config.RankOf(n, local_) * rank_.config.channels() + channel_;
  }

  PIPESCOPE_BOTH bool SendFor(Fabric& f, int n) {
    const Ring ring = RingFor(n);
    const int left = rank_.plan.row_rows[StreamOf(n)] - static_cast<int>(sent_.Get(n));
    const int room = left == 0 ? 0 : writers_.Room(f, n, ring);
    int rows = left < room ? left : room;
    if (rows > ring.chunk) rows = ring.chunk;
    for (int i = 0; i < rows; ++i) {
      const int64_t row = rank_.plan.row_base[StreamOf(n)] + static_cast<int64_t>(sent_.Get(n));
      WriteResult(rank_, f, row, writers_.Slot(f, n, ring));
      writers_.Push(f, n, ring);
      sent_.Set(n, sent_.Get(n) + 1);
    }
    // The last rows of a stream must not wait for the other streams' end: that may depend on them.
    if (left == rows) writers_.Tell(f, n, ring);
    return rows > 0;
  }

  const Rank& rank_;
  const Window window_;
  const int channel_;
  const int local_;
  Writers<Fabric> writers_;         // by node
  typename Fabric::Counters sent_;  // by node
};

template <class Fabric>
class CombineForward {
 public:
  PIPESCOPE_BOTH CombineForward(const Rank& rank, Fabric& f, int channel, int node)
      : rank_(rank),
        window_(rank.config),
        channel_(channel),
        node_(node),
        base_(rank.plan.stream_base[node * rank.config.channels() + channel]),
        rows_(rank.plan.stream_rows[node * rank.config.channels() + channel]) {
    for (int j = 0; j < rank.config.locals; ++j) readers_.Open(f, j, RingFrom(j));
    if (rank.config.nodes > 1) writer_.Open(f, 0, RingOut());
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    if (done_ == rows_) {
      for (int j = 0; j < rank_.config.locals; ++j) readers_.Close(f, j, RingFrom(j));
      if (rank_.config.nodes > 1) writer_.Close(f, 0, RingOut());
      return Progress::kDone;
    }
    const unsigned reach = rank_.plan.stream_locals[base_ + done_];
    for (int j = 0; j < rank_.config.locals; ++j) {
      if ((reach >> j & 1U) != 0 && readers_.Available(f, j, RingFrom(j)) == 0) {
        return Progress::kWaits;
      }
    }
    if (rank_.config.nodes > 1 && writer_.Room(f, 0, RingOut()) == 0) return Progress::kWaits;
    Add(f, reach);
    ++done_;
    return Progress::kMoved;
  }

 private:
  PIPESCOPE_BOTH Ring RingFrom(int j) const {
    return window_.CombineNear(channel_, j, rank_.local, node_);
  }

  PIPESCOPE_BOTH Ring RingOut() const {
    return node_ == rank_.node ? window_.CombineOwn(channel_, node_, rank_.local)
                               : window_.CombineFar(channel_, rank_.node, node_);
  }

  PIPESCOPE_BOTH void Add(Fabric& f, unsigned reach) {
    Addends<Fabric> rows;
    for (int j = 0; j < rank_.config.locals; ++j) {
      if ((reach >> j & 1U) != 0) rows.Append(readers_.Slot(f, j, RingFrom(j)));
    }
    const bool last = rank_.config.nodes == 1;
    const int token = rank_.plan.stream_tokens[base_ + done_];
    std::byte* slot = last ? nullptr : writer_.Slot(f, 0, RingOut());
    SumRows(rank_, f, rows, TargetOf(rank_, last ? token : -1, slot));
    for (int j = 0; j < rank_.config.locals; ++j) {
      if ((reach >> j & 1U) != 0) readers_.Pop(f, j, RingFrom(j));
    }
    if (!last) writer_.Push(f, 0, RingOut());
  }

  const Rank& rank_;
  const Window window_;
  const int channel_;
  const int node_;
  const int base_;
  const int rows_;
  int done_ = 0;
  Readers<Fabric> readers_;  // by local
  Writers<Fabric> writer_;
};

template <class Fabric>
class CombineReceive {
 public:
  PIPESCOPE_BOTH CombineReceive(const Rank& rank, Fabric& f, int channel, int /*peer*/)
      : rank_(rank),
        window_(rank.config),
        channel_(channel),
        token_(rank.First(channel)),
        end_(rank.First(channel + 1)) {
    if (Alone()) return;
    for (int n = 0; n < rank.config.nodes; ++n) readers_.Open(f, n, RingFrom(n));
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    if (token_ == end_) {
      for (int n = 0; n < rank_.config.nodes && !Alone(); ++n) readers_.Close(f, n, RingFrom(n));
      return Progress::kDone;
    }
    if (Alone()) {
      if (rank_.Reach(token_, 0) == 0) {
        SumRows(rank_, f, Addends<Fabric>(), TargetOf(rank_, token_, nullptr));
      }
    } else {
      for (int n = 0; n < rank_.config.nodes; ++n) {
        if (rank_.Reach(token_, n) == 0) continue;
        if (readers_.Available(f, n, RingFrom(n)) == 0) return Progress::kWaits;
      }
      Add(f);
    }
    ++token_;
    return Progress::kMoved;
  }

 private:
  PIPESCOPE_BOTH bool Alone() const { return rank_.config.nodes == 1; }
  PIPESCOPE_BOTH Ring RingFrom(int n) const {
    return n == rank_.node ? window_.CombineOwn(channel_, n, rank_.local)
                           : window_.CombineFar(channel_, n, rank_.node);
  }

  PIPESCOPE_BOTH void Add(Fabric& f) {
    Addends<Fabric> rows;
    for (int n = 0; n < rank_.config.nodes; ++n) {
      if (rank_.Reach(token_, n) != 0) rows.Append(readers_.Slot(f, n, RingFrom(n)));
    }
    SumRows(rank_, f, rows, TargetOf(rank_, token_, nullptr));
    for (int n = 0; n < rank_.config.nodes; ++n) {
      if (rank_.Reach(token_, n) != 0) readers_.Pop(f, n, RingFrom(n));
    }
  }

  const Rank& rank_;
  const Window window_;
  const int channel_;
  int token_;
  const int end_;
  Readers<Fabric> readers_;  // by node
};

}  // namespace pipescope::kernels::exchange
