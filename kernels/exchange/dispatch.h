// Dispatch: a token goes once to each node that needs it, and there once to each GPU that needs it.
//
//   send     (channel, other node)  copies the channel's rows for that node into messages and puts
//                                   them to the GPU of its own index there
//   forward  (channel, GPU of the node)  takes from the streams of all nodes, in turn, the rows
//                                   for that GPU and copies them into its NVLink ring. The own
//                                   node's stream has no first hop: it is read from the input
//   credit   (channel)              returns slots to other nodes once all forwarders are past
//   receive  (channel, GPU of the node)  copies rows to where the plan wants them
//
// On one node send and credit have nothing to do: the same protocol with the network's hop absent.
//
// Within a channel a node's rows stay in the order of their tokens through all rings, so each
// receiver knows a row's place by counting: results do not depend on timing.
#pragma once

#include "kernels/exchange/row.h"

namespace pipescope::kernels::exchange {

template <class Fabric>
class DispatchSend {
 public:
  PIPESCOPE_BOTH DispatchSend(const Rank& rank, Fabric& f, int channel, int node)
      : rank_(rank),
        node_(node),
        ring_(Window(rank.config).DispatchFar(channel, rank.node, node)),
        token_(rank.First(channel)),
        end_(rank.First(channel + 1)) {
    writer_.Open(f, 0, ring_);
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    if (token_ == end_) {
      writer_.Close(f, 0, ring_);
      return Progress::kDone;
    }
    int room = writer_.Room(f, 0, ring_);
    if (room == 0) return Progress::kWaits;
    for (; token_ < end_ && room > 0; ++token_) {
      const int reach = rank_.Reach(token_, node_);
      if (reach == 0) continue;
      WriteRow(rank_, f, token_, reach, writer_.Slot(f, 0, ring_));
      writer_.Push(f, 0, ring_);
      --room;
    }
    return Progress::kMoved;
  }

 private:
  const Rank& rank_;
  const int node_;
  const Ring ring_;
  int token_;
  const int end_;
  Writers<Fabric> writer_;
};

template <class Fabric>
class DispatchForward {
 public:
  PIPESCOPE_BOTH DispatchForward(const Rank& rank, Fabric& f, int channel, int local)
      : rank_(rank),
        window_(rank.config),
        channel_(channel),
        local_(local),
        out_(window_.DispatchNear(channel, rank.local, local)),
        token_(rank.First(channel)) {
    writer_.Open(f, 0, out_);
    for (int n = 0; n < rank.config.nodes; ++n) {
      if (n != rank.node) readers_.OpenAt(n, f.Flag(window_.Forwarded(channel, n, local)));
      passed_.Set(n, 0);
    }
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    bool moved = false;
    bool done = true;
    for (int n = 0; n < rank_.config.nodes; ++n) {
      moved |= n == rank_.node ? TakeOwn(f) : TakeFrom(f, n);
      done &= n == rank_.node ? token_ == rank_.First(channel_ + 1) : Passed(n) == RowsFrom(n);
    }
    if (!done) return moved ? Progress::kMoved : Progress::kWaits;
    writer_.Close(f, 0, out_);
    return Progress::kDone;
  }

 private:
  PIPESCOPE_BOTH int Passed(int n) const { return static_cast<int>(passed_.Get(n)); }
  PIPESCOPE_BOTH int RowsFrom(int n) const {
    return rank_.plan.stream_rows[n * rank_.config.channels() + channel_];
  }

  // The first forwarder notes for combine what every stream was.
  PIPESCOPE_BOTH void Pass(Fabric& f, int n, int token, int reach) {
    const int at = rank_.plan.stream_base[n * rank_.config.channels() + channel_] + Passed(n);
    if (local_ == 0 && f.lane() == 0) {
      rank_.plan.stream_locals[at] = static_cast<uint8_t>(reach);
      rank_.plan.stream_tokens[at] = token;
    }
    passed_.Set(n, passed_.Get(n) + 1);
  }

  // At most a message from each node in turn.
  PIPESCOPE_BOTH bool TakeOwn(Fabric& f) {
    const int end = rank_.First(channel_ + 1);
    int rows = 0;
    bool moved = false;
    for (; token_ < end && rows < rank_.config.dispatch.rdma_send; ++token_) {
      const int reach = rank_.Reach(token_, rank_.node);
      if ((reach >> local_ & 1) != 0) {
        if (writer_.Room(f, 0, out_) == 0) break;
        WriteRow(rank_, f, token_, reach, writer_.Slot(f, 0, out_));
        writer_.Push(f, 0, out_);
      }
      if (reach != 0) {
        Pass(f, rank_.node, token_, reach);
        ++rows;
      }
      moved = true;
    }
    return moved;
  }

  PIPESCOPE_BOTH bool TakeFrom(Fabric& f, int n) {
    const Config& g = rank_.config;
    if (Passed(n) == RowsFrom(n)) return false;
    const Ring in = window_.DispatchFar(channel_, n, rank_.node);
    int rows = readers_.Available(f, n, in);
    if (rows > in.chunk) rows = in.chunk;
    int taken = 0;
    for (; taken < rows; ++taken) {
      const std::byte* slot = readers_.Slot(f, n, in);
      const RowHeader header = HeaderOf(g, slot);
      if ((header.locals >> local_ & 1U) != 0) {
        if (writer_.Room(f, 0, out_) == 0) break;
        f.Copy(writer_.Slot(f, 0, out_), slot, g.dispatch_slot());
        writer_.Push(f, 0, out_);
      }
      Pass(f, n, header.token, static_cast<int>(header.locals));
      readers_.Skip(n);
    }
    if (taken == 0) return false;
    f.Signal(rank_.local, window_.Forwarded(channel_, n, local_), readers_.position(n));
    return true;
  }

  const Rank& rank_;
  const Window window_;
  const int channel_;
  const int local_;
  const Ring out_;
  int token_;
  Writers<Fabric> writer_;
  Readers<Fabric> readers_;  // by node
  typename Fabric::Counters passed_;
};

template <class Fabric>
class DispatchCredit {
 public:
  PIPESCOPE_BOTH DispatchCredit(const Rank& rank, Fabric& f, int channel, int /*peer*/)
      : rank_(rank), window_(rank.config), channel_(channel) {
    for (int n = 0; n < rank.config.nodes; ++n) {
      if (n != rank.node) begin_.Set(n, f.Cursor(RingFrom(n).taken));
      given_.Set(n, 0);
    }
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    bool moved = false;
    bool done = true;
    for (int n = 0; n < rank_.config.nodes; ++n) {
      if (n == rank_.node) continue;
      moved |= Give(f, n);
      done &= static_cast<int>(given_.Get(n)) == RowsFrom(n);
    }
    if (!done) return moved ? Progress::kMoved : Progress::kWaits;
    for (int n = 0; n < rank_.config.nodes; ++n) {
      if (n != rank_.node) f.SetCursor(RingFrom(n).taken, begin_.Get(n) + given_.Get(n));
    }
    return Progress::kDone;
  }

 private:
  PIPESCOPE_BOTH Ring RingFrom(int n) const { return window_.DispatchFar(channel_, n, rank_.node); }
  PIPESCOPE_BOTH int RowsFrom(int n) const {
    return rank_.plan.stream_rows[n * rank_.config.channels() + channel_];
  }

  PIPESCOPE_BOTH bool Give(Fabric& f, int n) {
    uint64_t past = ~uint64_t{0};  // rows that the slowest forwarder has passed on
    for (int j = 0; j < rank_.config.locals; ++j) {
      const uint64_t flag = f.Flag(window_.Forwarded(channel_, n, j)) - begin_.Get(n);
      if (flag < past) past = flag;
    }
    const uint64_t rows = past - given_.Get(n);
    const Ring ring = RingFrom(n);
    const bool last = static_cast<int>(past) == RowsFrom(n);
    if (rows == 0 || (rows < static_cast<uint64_t>(ring.chunk) && !last)) return false;
    f.Add(n, ring.head, rows);
    given_.Set(n, past);
    return true;
  }

  const Rank& rank_;
  const Window window_;
  const int channel_;
  typename Fabric::Counters begin_, given_;  // by node
};

template <class Fabric>
class DispatchReceive {
 public:
  PIPESCOPE_BOTH DispatchReceive(const Rank& rank, Fabric& f, int channel, int local)
      : rank_(rank),
        channel_(channel),
        ring_(Window(rank.config).DispatchNear(channel, local, rank.local)) {
    const Config& g = rank.config;
    reader_.Open(f, 0, ring_);
    for (int n = 0; n < g.nodes; ++n) {
      left_ += rank.plan.row_rows[g.RankOf(n, local) * g.channels() + channel];
      taken_.Set(n, 0);
    }
  }

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    if (left_ == 0) {
      reader_.Close(f, 0, ring_);
      return Progress::kDone;
    }
    int rows = reader_.Available(f, 0, ring_);
    if (rows == 0) return Progress::kWaits;
    left_ -= rows;
    for (; rows > 0; --rows) {
      const std::byte* slot = reader_.Slot(f, 0, ring_);
      const RowHeader header = HeaderOf(rank_.config, slot);
      const int home = rank_.config.RankOf(header.node, header.local);
      const int base = rank_.plan.row_base[home * rank_.config.channels() + channel_];
      const uint64_t nth = taken_.Get(header.node);
      ReadRow(rank_, f, slot, header, base + static_cast<int64_t>(nth));
      taken_.Set(header.node, nth + 1);
      reader_.Pop(f, 0, ring_);
    }
    return Progress::kMoved;
  }

 private:
  const Rank& rank_;
  const int channel_;
  const Ring ring_;
  int left_ = 0;
  Readers<Fabric> reader_;
  typename Fabric::Counters taken_;  // by node
};

}  // namespace pipescope::kernels::exchange
