#include "sim/base/result.h"
#include "sim/exchange/journey.h"
#include "sim/exchange/layout.h"
#include "sim/exchange/ports.h"
#include "sim/exchange/run.h"
#include "sim/exchange/station.h"

namespace pipescope::exchange {
namespace {

enum class Kind {
  kSent,
  kLand,
  kLanded,
  kSummed,
  kPosted,
  kDepart,
  kArrive,
  kArrived,
  kHome,
  kNvlCredit,
  kNetCredit
};

// A message is the same set of tokens as in the dispatch that went before, on its way back: from
// the GPUs of the stream's node, over the forwarder there, to the GPU where the stream starts.
class Combine {
 public:
  Combine(const Traffic& traffic, const Machine& machine, const Buffers& buffers, Bytes row)
      : traffic_(traffic),
        shape_(traffic.shape),
        machine_(machine),
        layout_(traffic, machine, row),
        copy_(CopyTime(machine.kernels, row)),
        sum_(SumTime(machine.kernels, row)),
        ports_(shape_.simulated()),
        senders_(static_cast<size_t>(shape_.lanes() * shape_.gpus_per_node)),
        streams_(static_cast<size_t>(shape_.streams()), Stream(buffers.rdma_recv)),
        nvl_(streams_.size() * static_cast<size_t>(shape_.gpus_per_node),
             Ring(std::max(buffers.nvl_recv / shape_.nodes, buffers.rdma_send))),
        post_(static_cast<size_t>(shape_.lanes())),
        receivers_(post_.size()),
        missing_(traffic.messages.size()) {}

  Outcome Run() {
    for (size_t m = 0; m < missing_.size(); ++m) {
      for (int local = 0; local < shape_.gpus_per_node; ++local) {
        if (layout_.Rows(static_cast<int32_t>(m), local) > 0) ++missing_[m];
      }
    }
    for (int lane = 0; lane < shape_.lanes(); ++lane) StartLane(lane);
    while (!events_.empty()) Handle(events_.Next());
    // Else a ring has stopped for good.
    PIPESCOPE_CHECK(outcome_.rows == traffic_.delivered && outcome_.tokens == traffic_.tokens);
    return Finish();
  }

 private:
  struct Sender {
    std::vector<size_t> next;  // by node: place in the stream
    int turn = 0;              // the node to look at first
    bool busy = false;
    Station warps;
  };
  struct Stream {
    explicit Stream(int slots) : ring(slots) {}
    size_t next = 0;      // message that the forwarder adds up next
    Station warps;        // the forwarder's
    Ring ring;            // at home
    int64_t arrived = 0;  // tokens at home
    int64_t used = 0;     // of them, added up
    size_t returned = 0;  // messages whose slots have been given back
    int64_t returned_tokens = 0;
  };
  struct Receiver {
    int32_t next = 0;  // token
    int32_t end = 0;
    Station warps;
  };

  Stream& StreamOf(int32_t m) { return streams_[static_cast<size_t>(layout_.At(m).stream)]; }
  size_t RingOf(int32_t m, int local) const {
    return static_cast<size_t>(layout_.At(m).stream * shape_.gpus_per_node + local);
  }
  const std::vector<int32_t>& MessagesOf(int stream) const {
    return traffic_.streams[static_cast<size_t>(stream)];
  }

  void StartLane(int lane) {
    Receiver& receiver = receivers_[static_cast<size_t>(lane)];
    receiver.next = lane == 0 ? 0 : traffic_.token_end[static_cast<size_t>(lane - 1)];
    receiver.end = traffic_.token_end[static_cast<size_t>(lane)];
    for (int local = 0; local < shape_.gpus_per_node; ++local) {
      const int sender = lane * shape_.gpus_per_node + local;
      senders_[static_cast<size_t>(sender)].next.assign(static_cast<size_t>(shape_.nodes), 0);
      TrySend(sender, Duration());
    }
  }

  // Takes the next rows for any node whose ring has room, node after node.
  void TrySend(int id, Duration now) {
    Sender& sender = senders_[static_cast<size_t>(id)];
    if (sender.busy) return;
    const int place = layout_.PlaceOf(id);
    for (int i = 0; i < shape_.nodes; ++i) {
      const int home = (sender.turn + i) % shape_.nodes;
      const auto& messages = MessagesOf(layout_.StreamFor(id, home));
      size_t& next = sender.next[static_cast<size_t>(home)];
      while (next < messages.size() && layout_.Rows(messages[next], place) == 0) ++next;
      if (next == messages.size()) continue;
      const int32_t m = messages[next];
      const int rows = layout_.Rows(m, place);
      if (!nvl_[RingOf(m, place)].Take(rows)) continue;
      ++next;
      sender.turn = home + 1;
      sender.busy = true;
      const Duration one = layout_.ByWarpOf(id / shape_.gpus_per_node / shape_.channels, copy_);
      const Duration took = Shared(rows, SendWarps(), one);
      events_.Add(sender.warps.Serve(now, took) + std::max(took, one), Kind::kSent, m, place);
      return;
    }
  }
  int SendWarps() const {
    return shape_.nodes > 1 ? 1 : std::max(1, machine_.kernels.local / shape_.gpus_per_node);
  }

  void Sent(int32_t m, int local, Duration now) {
    const int gpu = shape_.Player(layout_.Node(m), local);
    if (local == layout_.OwnLocal(m)) {
      events_.Add(now, Kind::kLanded, m);
    } else {
      Station& out = ports_.nvlink_out[static_cast<size_t>(gpu)];
      const Duration start = out.Serve(now, layout_.OverNvlink(m, local));
      events_.Add(start + machine_.nvlink_latency, Kind::kLand, m, local);
    }
    const int id = layout_.SenderOf(m, local);
    senders_[static_cast<size_t>(id)].busy = false;
    TrySend(id, now);
  }

  void Landed(int32_t m, Duration now) {
    if (--missing_[static_cast<size_t>(m)] == 0) TrySum(layout_.At(m).stream, now);
  }

  // The forwarder's warps work on as many messages, in order, as have come and find room.
  void TrySum(int id, Duration now) {
    Stream& stream = streams_[static_cast<size_t>(id)];
    const auto& messages = MessagesOf(id);
    for (; stream.next < messages.size(); ++stream.next) {
      const int32_t m = messages[stream.next];
      if (missing_[static_cast<size_t>(m)] > 0) return;
      if (shape_.nodes > 1 && !stream.ring.Take(layout_.At(m).tokens)) return;
      const int warps = shape_.nodes > 1
                            ? std::max(1, machine_.kernels.reduce_forward / shape_.nodes)
                            : machine_.kernels.local;
      const Duration one = layout_.ByWarpOf(layout_.Forwarder(m), sum_);
      const Duration took = Shared(layout_.At(m).tokens, warps, one);
      events_.Add(stream.warps.Serve(now, took) + std::max(took, one), Kind::kSummed, m);
    }
  }

  void Summed(int32_t m, Duration now) {
    outcome_.rows += layout_.At(m).rows;
    for (int local = 0; local < shape_.gpus_per_node; ++local) {
      if (layout_.Rows(m, local) == 0) continue;
      events_.Add(now + layout_.NvlinkCredit(m, local), Kind::kNvlCredit, m, local);
    }
    if (shape_.nodes == 1) {
      outcome_.tokens += layout_.At(m).tokens;
      outcome_.time = std::max(outcome_.time, now);
    } else if (layout_.StaysOnNode(m)) {
      events_.Add(now, Kind::kHome, m);
    } else {
      const int lane = layout_.Forwarder(m) * shape_.channels + layout_.Channel(m);
      const Duration post = machine_.kernels.post;
      events_.Add(post_[static_cast<size_t>(lane)].Serve(now, post) + post, Kind::kPosted, m);
    }
  }

  // Adds up, in order, all tokens whose rows are there from every node.
  void Home(int32_t m, Duration now) {
    StreamOf(m).arrived += layout_.At(m).tokens;
    const int lane = layout_.Lane(m);
    Receiver& receiver = receivers_[static_cast<size_t>(lane)];
    const Duration one = Duration(layout_.ByWarpOf(lane / shape_.channels, sum_).picoseconds() /
                                  machine_.kernels.reduce_receive);
    for (; receiver.next < receiver.end && IsComplete(lane, receiver.next); ++receiver.next) {
      const Duration done = receiver.warps.Serve(now, one) + one;
      ++outcome_.tokens;
      outcome_.time = std::max(outcome_.time, done);
      for (const int32_t node : NodesOf(receiver.next)) Use(lane * shape_.nodes + node, done);
    }
  }
  std::span<const int32_t> NodesOf(int32_t token) const {
    const auto from = static_cast<size_t>(traffic_.nodes_first[static_cast<size_t>(token)]);
    const auto to = static_cast<size_t>(traffic_.nodes_first[static_cast<size_t>(token) + 1]);
    return std::span<const int32_t>(traffic_.nodes).subspan(from, to - from);
  }
  bool IsComplete(int lane, int32_t token) const {
    for (const int32_t node : NodesOf(token)) {
      const Stream& stream = streams_[static_cast<size_t>(lane * shape_.nodes + node)];
      if (stream.used == stream.arrived) return false;
    }
    return true;
  }
  // A token of the stream has been used; the last one of a message gives its slots back.
  void Use(int id, Duration done) {
    Stream& stream = streams_[static_cast<size_t>(id)];
    const int32_t m = MessagesOf(id)[stream.returned];
    if (++stream.used < stream.returned_tokens + layout_.At(m).tokens) return;
    stream.returned_tokens += layout_.At(m).tokens;
    ++stream.returned;
    events_.Add(done + layout_.NetworkCredit(m), Kind::kNetCredit, m);
  }

  void Handle(const Events<Kind>::Event& e) {
    switch (e.kind) {
      case Kind::kSent:
        return Sent(e.a, e.b, e.at);
      case Kind::kLand: {
        const Duration took = layout_.OverNvlink(e.a, e.b);
        Station& in = ports_.nvlink_in[static_cast<size_t>(layout_.Forwarder(e.a))];
        return events_.Add(in.Serve(e.at, took) + took, Kind::kLanded, e.a);
      }
      case Kind::kLanded:
        return Landed(e.a, e.at);
      case Kind::kSummed:
        return Summed(e.a, e.at);
      case Kind::kPosted:
      case Kind::kDepart:
      case Kind::kArrive:
      case Kind::kArrived:
        return journey_.Handle(e);
      case Kind::kHome:
        return Home(e.a, e.at);
      case Kind::kNvlCredit:
        nvl_[RingOf(e.a, e.b)].GiveBack(layout_.Rows(e.a, e.b));
        return TrySend(layout_.SenderOf(e.a, e.b), e.at);
      case Kind::kNetCredit:
        StreamOf(e.a).ring.GiveBack(layout_.At(e.a).tokens);
        return TrySum(layout_.At(e.a).stream, e.at);
    }
  }

  Outcome Finish();

  const Traffic& traffic_;
  const Shape shape_;
  const Machine& machine_;
  const Layout layout_;
  const Duration copy_;
  const Duration sum_;
  Ports ports_;
  std::vector<Sender> senders_;  // by lane and GPU of the node that forwards
  std::vector<Stream> streams_;
  std::vector<Ring> nvl_;  // by stream and GPU of the node: at the forwarder
  std::vector<Station> post_;
  std::vector<Receiver> receivers_;
  std::vector<int32_t> missing_;  // by message: GPUs whose rows have not landed
  Events<Kind> events_;
  Journey<Kind> journey_{layout_, ports_, events_, Journey<Kind>::Way::kToHome, Kind::kHome};
  Outcome outcome_;
};

Outcome Combine::Finish() {
  const Duration time = std::max(outcome_.time, Duration(1));
  outcome_.network =
      std::max(MostBusy(ports_.network_out, time), MostBusy(ports_.network_in, time));
  outcome_.nvlink = std::max(MostBusy(ports_.nvlink_out, time), MostBusy(ports_.nvlink_in, time));
  for (const Sender& sender : senders_) outcome_.send += sender.warps.busy() / time;
  outcome_.send /= static_cast<double>(senders_.size());
  for (const Stream& stream : streams_) {
    outcome_.forward += stream.warps.busy() / time;
    outcome_.rdma_peak = std::max(outcome_.rdma_peak, stream.ring.peak());
  }
  outcome_.forward /= static_cast<double>(streams_.size());
  for (const Receiver& receiver : receivers_) outcome_.receive += receiver.warps.busy() / time;
  outcome_.receive /= static_cast<double>(receivers_.size());
  outcome_.post = MeanBusy(post_, time);
  outcome_.nvl_peak = Peak(nvl_);
  outcome_.events = events_.count();
  return outcome_;
}

}  // namespace

Outcome RunCombine(const Traffic& traffic, const Machine& machine, const Buffers& buffers,
                   Bytes row) {
  return Combine(traffic, machine, buffers, row).Run();
}

}  // namespace pipescope::exchange
