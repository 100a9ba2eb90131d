#include "sim/base/result.h"
#include "sim/exchange/journey.h"
#include "sim/exchange/layout.h"
#include "sim/exchange/ports.h"
#include "sim/exchange/run.h"
#include "sim/exchange/station.h"

namespace pipescope::exchange {
namespace {

enum class Kind {
  kSend,
  kPosted,
  kDepart,
  kArrive,
  kArrived,
  kForward,
  kCopied,
  kLand,
  kTaken,
  kNvlCredit,
  kNetCredit
};

// Events carry a message and, after the forwarder, the GPU of the node that its rows are for.
class Dispatch {
 public:
  Dispatch(const Traffic& traffic, const Machine& machine, const Buffers& buffers, Bytes row)
      : traffic_(traffic),
        shape_(traffic.shape),
        machine_(machine),
        layout_(traffic, machine, row),
        copy_(CopyTime(machine.kernels, row)),
        warps_(shape_.nodes > 1 ? 1 : std::max(1, machine.kernels.local / shape_.gpus_per_node)),
        ports_(shape_.simulated()),
        senders_(static_cast<size_t>(shape_.lanes())),
        post_(senders_.size()),
        forward_(senders_.size() * static_cast<size_t>(shape_.gpus_per_node)),
        receive_(forward_.size()),
        waiting_(forward_.size()),
        nvl_(forward_.size(), Ring(buffers.nvl_recv)),
        rdma_(static_cast<size_t>(shape_.streams()), Ring(buffers.rdma_recv)),
        pending_(traffic.messages.size()) {}

  Outcome Run() {
    for (int lane = 0; lane < shape_.lanes(); ++lane) StartLane(lane);
    while (!events_.empty()) Handle(events_.Next());
    PIPESCOPE_CHECK(outcome_.rows == traffic_.delivered);  // else a ring has stopped for good
    return Finish();
  }

 private:
  struct Sender {
    int32_t next = 0;  // message
    int32_t end = 0;
    int32_t done = -1;  // last token copied
    bool blocked = false;
    Duration busy;
  };
  struct Waiting {  // of a forwarding warp
    std::vector<int32_t> messages;
    size_t next = 0;
    bool busy = false;
  };

  Duration CopyOf(int gpu) const { return layout_.ByWarpOf(gpu, copy_); }
  size_t Warp(int gpu, int32_t message, int local) const {
    const int lane = gpu * shape_.channels + layout_.Lane(message) % shape_.channels;
    return static_cast<size_t>(lane * shape_.gpus_per_node + local);
  }

  void StartLane(int lane) {
    Sender& sender = senders_[static_cast<size_t>(lane)];
    sender.next = lane == 0 ? 0 : traffic_.lane_end[static_cast<size_t>(lane - 1)];
    sender.end = traffic_.lane_end[static_cast<size_t>(lane)];
    if (shape_.nodes > 1) return CopyNext(lane, Duration());
    for (int32_t m = sender.next; m < sender.end; ++m) events_.Add(Duration(), Kind::kForward, m);
  }

  // The send warps copy up to the token that completes their next message.
  void CopyNext(int lane, Duration now) {
    Sender& sender = senders_[static_cast<size_t>(lane)];
    if (sender.next == sender.end) return;
    const int32_t token = layout_.At(sender.next).last_token;
    const Duration took = Duration(CopyOf(lane / shape_.channels).picoseconds() *
                                   (token - sender.done) / machine_.kernels.send);
    sender.busy += took;
    sender.done = token;
    events_.Add(now + took, Kind::kSend, sender.next);
  }

  void Send(int32_t m, Duration now) {
    const int lane = layout_.Lane(m);
    Sender& sender = senders_[static_cast<size_t>(lane)];
    sender.blocked = !rdma_[static_cast<size_t>(layout_.At(m).stream)].Take(layout_.At(m).tokens);
    if (sender.blocked) return;
    if (layout_.StaysOnNode(m)) {
      events_.Add(now, Kind::kForward, m);
    } else {
      const Duration post = machine_.kernels.post;
      events_.Add(post_[static_cast<size_t>(lane)].Serve(now, post) + post, Kind::kPosted, m);
    }
    ++sender.next;
    CopyNext(lane, now);
  }

  void Forward(int32_t m, Duration now) {
    for (int local = 0; local < shape_.gpus_per_node; ++local) {
      if (layout_.Rows(m, local) == 0) continue;
      ++pending_[static_cast<size_t>(m)];
      const size_t warp = Warp(layout_.Forwarder(m), m, local);
      waiting_[warp].messages.push_back(m);
      TryCopy(warp, local, now);
    }
  }

  void TryCopy(size_t warp, int local, Duration now) {
    Waiting& waiting = waiting_[warp];
    if (waiting.busy || waiting.next == waiting.messages.size()) return;
    const int32_t m = waiting.messages[waiting.next];
    const int rows = layout_.Rows(m, local);
    if (!nvl_[warp].Take(rows)) return;
    waiting.busy = true;
    ++waiting.next;
    const Duration one = CopyOf(layout_.Forwarder(m)), took = Shared(rows, warps_, one);
    events_.Add(forward_[warp].Serve(now, took) + std::max(took, one), Kind::kCopied, m, local);
  }

  void Copied(int32_t m, int local, Duration now) {
    const int gpu = layout_.Forwarder(m);
    const size_t warp = Warp(gpu, m, local);
    if (--pending_[static_cast<size_t>(m)] == 0 && shape_.nodes > 1) {
      events_.Add(now + layout_.NetworkCredit(m), Kind::kNetCredit, m);
    }
    if (local == layout_.OwnLocal(m)) {
      Take(m, local, now);
    } else {
      const Duration start =
          ports_.nvlink_out[static_cast<size_t>(gpu)].Serve(now, layout_.OverNvlink(m, local));
      events_.Add(start + machine_.nvlink_latency, Kind::kLand, m, local);
    }
    waiting_[warp].busy = false;
    TryCopy(warp, local, now);
  }

  void Land(int32_t m, int local, Duration now) {
    const int gpu = shape_.Player(layout_.Node(m), local);
    const Duration took = layout_.OverNvlink(m, local);
    Take(m, local, ports_.nvlink_in[static_cast<size_t>(gpu)].Serve(now, took) + took);
  }

  // The receive warp for the forwarding GPU; folded, for its mirror image.
  void Take(int32_t m, int local, Duration ready) {
    const int gpu = shape_.Player(layout_.Node(m), local);
    const int from = shape_.folded ? local : layout_.OwnLocal(m);
    const Duration one = CopyOf(gpu), took = Shared(layout_.Rows(m, local), warps_, one);
    events_.Add(receive_[Warp(gpu, m, from)].Serve(ready, took) + std::max(took, one), Kind::kTaken,
                m, local);
  }

  void Taken(int32_t m, int local, Duration now) {
    outcome_.rows += layout_.Rows(m, local);
    outcome_.time = std::max(outcome_.time, now);
    events_.Add(now + layout_.NvlinkCredit(m, local), Kind::kNvlCredit, m, local);
  }

  void NetCredit(int32_t m, Duration now) {
    rdma_[static_cast<size_t>(layout_.At(m).stream)].GiveBack(layout_.At(m).tokens);
    const Sender& sender = senders_[static_cast<size_t>(layout_.Lane(m))];
    if (sender.blocked && layout_.At(sender.next).stream == layout_.At(m).stream)
      Send(sender.next, now);
  }

  void Handle(const Events<Kind>::Event& e) {
    switch (e.kind) {
      case Kind::kSend:
        return Send(e.a, e.at);
      case Kind::kPosted:
      case Kind::kDepart:
      case Kind::kArrive:
      case Kind::kArrived:
        return journey_.Handle(e);
      case Kind::kForward:
        return Forward(e.a, e.at);
      case Kind::kCopied:
        return Copied(e.a, e.b, e.at);
      case Kind::kLand:
        return Land(e.a, e.b, e.at);
      case Kind::kTaken:
        return Taken(e.a, e.b, e.at);
      case Kind::kNvlCredit: {
        const size_t warp = Warp(layout_.Forwarder(e.a), e.a, e.b);
        nvl_[warp].GiveBack(layout_.Rows(e.a, e.b));
        return TryCopy(warp, e.b, e.at);
      }
      case Kind::kNetCredit:
        return NetCredit(e.a, e.at);
    }
  }

  Outcome Finish() {
    const Duration time = std::max(outcome_.time, Duration(1));
    outcome_.network =
        std::max(MostBusy(ports_.network_out, time), MostBusy(ports_.network_in, time));
    outcome_.nvlink = std::max(MostBusy(ports_.nvlink_out, time), MostBusy(ports_.nvlink_in, time));
    Duration sending;
    for (const Sender& sender : senders_) sending += sender.busy;
    outcome_.send = sending / time / static_cast<double>(senders_.size());
    outcome_.post = MeanBusy(post_, time);
    outcome_.forward = MeanBusy(forward_, time);
    outcome_.receive = MeanBusy(receive_, time);
    outcome_.nvl_peak = Peak(nvl_);
    outcome_.rdma_peak = Peak(rdma_);
    outcome_.tokens = traffic_.tokens;
    outcome_.events = events_.count();
    return outcome_;
  }

  const Traffic& traffic_;
  const Shape shape_;
  const Machine& machine_;
  const Layout layout_;
  const Duration copy_;
  const int warps_;  // that share the rows for one GPU
  Ports ports_;
  std::vector<Sender> senders_;
  std::vector<Station> post_;     // by lane
  std::vector<Station> forward_;  // by lane and GPU of the node
  std::vector<Station> receive_;  // the same
  std::vector<Waiting> waiting_;
  std::vector<Ring> nvl_;   // after a forwarding warp
  std::vector<Ring> rdma_;  // by stream
  std::vector<int32_t> pending_;
  Events<Kind> events_;
  Journey<Kind> journey_{layout_, ports_, events_, Journey<Kind>::Way::kFromHome, Kind::kForward};
  Outcome outcome_;
};

}  // namespace

Outcome RunDispatch(const Traffic& traffic, const Machine& machine, const Buffers& buffers,
                    Bytes row) {
  return Dispatch(traffic, machine, buffers, row).Run();
}

}  // namespace pipescope::exchange
