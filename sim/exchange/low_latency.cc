#include "sim/exchange/low_latency.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "sim/exchange/ports.h"

namespace pipescope::exchange {
namespace {

constexpr int kHeader = 16;  // bytes: the token's index

struct Message {
  Duration ready;     // its warp has written it
  int64_t order = 0;  // in which a GPU's warps come to it
  int from = 0, to = 0;
};

int UsedSms(int experts, int sms) {
  const int groups = (experts + sms - 1) / sms;
  return (experts + groups - 1) / groups;
}

class LowLatency {
 public:
  LowLatency(const Machine& machine, const ExchangeCase& c, Bytes row, int sms)
      : machine_(machine),
        c_(c),
        row_(row),
        sms_(sms),
        by_nic_(c.generation == Generation::kLowLatencyNic),
        ports_(c.gpus) {}

  std::vector<Message> Messages() const {
    const int per_gpu = c_.gating.experts / c_.gpus, top_k = c_.gating.top_k;
    std::vector<Message> messages;
    std::vector<std::vector<int>> rows_of(static_cast<size_t>(c_.gpus));  // [expert's GPU][source]
    for (auto& rows : rows_of) rows.resize(static_cast<size_t>(c_.gpus));
    for (int gpu = 0; gpu < c_.gpus; ++gpu) {
      const std::vector<int32_t> experts = DrawExperts(c_.gating, gpu, c_.tokens);
      for (size_t i = 0; i < experts.size(); ++i) {
        const int at = experts[i] / per_gpu;
        if (c_.direction == Direction::kDispatch) {
          const int64_t token = static_cast<int64_t>(i) / top_k;
          messages.push_back(
              {Copy(gpu) * static_cast<int>(token / sms_ + 1), static_cast<int64_t>(i), gpu, at});
          continue;
        }
        // Rows of one source lie together; the warps take up all sources at once.
        const int nth = rows_of[static_cast<size_t>(at)][static_cast<size_t>(gpu)]++;
        const int64_t turn = int64_t{nth} * c_.gpus + (gpu - at + c_.gpus) % c_.gpus;
        messages.push_back({Copy(at), turn, at, gpu});
      }
    }
    std::sort(messages.begin(), messages.end(), [](const Message& a, const Message& b) {
      return std::tie(a.ready, a.order, a.from) < std::tie(b.ready, b.order, b.from);
    });
    return messages;
  }

  // When the last row of each GPU is in its place.
  std::vector<Duration> Run() {
    struct Arrival {
      Duration at;
      int64_t number;
      bool nic;
      int to;
    };
    std::vector<Duration> end(static_cast<size_t>(c_.gpus));
    std::vector<Arrival> arrivals;
    const std::vector<Message> messages = Messages();
    for (size_t i = 0; i < messages.size(); ++i) {
      const Message& m = messages[i];
      if (m.from == m.to) {
        Land(end, m.to, m.ready);
        continue;
      }
      const bool nic = by_nic_ || m.from / machine_.gpus_per_node != m.to / machine_.gpus_per_node;
      auto& out = (nic ? ports_.network_out : ports_.nvlink_out)[static_cast<size_t>(m.from)];
      const Duration start = out.Serve(m.ready, Wire(nic, m.from));
      arrivals.push_back({start + Latency(nic), static_cast<int64_t>(i), nic, m.to});
      moved_[nic] += 1;
    }
    std::sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) {
      return std::tie(a.at, a.number) < std::tie(b.at, b.number);
    });
    for (const Arrival& a : arrivals) {
      auto& in = (a.nic ? ports_.network_in : ports_.nvlink_in)[static_cast<size_t>(a.to)];
      const Duration wire = Wire(a.nic, a.to);
      // The flag that tells of it, then the copy.
      Land(end, a.to, in.Serve(a.at, wire) + wire + Latency(a.nic) + Copy(a.to));
    }
    return end;
  }

  double moved(bool nic) const { return static_cast<double>(moved_[nic]); }
  const Ports& ports() const { return ports_; }

 private:
  static void Land(std::vector<Duration>& end, int gpu, Duration at) {
    Duration& last = end[static_cast<size_t>(gpu)];
    last = std::max(last, at);
  }
  Duration Copy(int gpu) const {
    const double slow = machine_.slow.empty() ? 1 : machine_.slow[static_cast<size_t>(gpu)];
    return Seconds(CopyTime(machine_.kernels, row_).seconds() * slow);
  }
  Duration Wire(bool nic, int gpu) const {
    if (!nic) return row_ / machine_.nvlink;
    const auto& own = machine_.networks;
    return row_ / (own.empty() ? machine_.network : own[static_cast<size_t>(gpu)]);
  }
  Duration Latency(bool nic) const {
    return nic ? machine_.network_latency : machine_.nvlink_latency;
  }

  const Machine& machine_;
  const ExchangeCase& c_;
  Bytes row_;
  int sms_;
  bool by_nic_;
  Ports ports_;
  int64_t moved_[2] = {0, 0};  // messages over NVLink, by NIC
};

}  // namespace

bool IsLowLatency(Generation generation) {
  return generation == Generation::kLowLatency || generation == Generation::kLowLatencyNic;
}

ExchangeResult RunLowLatency(const Machine& machine, const ExchangeCase& c, int sms) {
  const bool dispatch = c.direction == Direction::kDispatch;
  ExchangeResult r;
  r.sms = UsedSms(c.gating.experts, sms);
  r.row = RowBytes(c.hidden, dispatch && c.fp8) + Bytes(dispatch ? kHeader : 0);
  LowLatency run(machine, c, r.row, r.sms);
  const std::vector<Duration> end = run.Run();
  r.time = r.outcome.time = *std::max_element(end.begin(), end.end());
  const auto rate = [&](double rows) {
    return Bandwidth(rows * static_cast<double>(r.row.value()) / r.time.seconds());
  };
  const double selections = static_cast<double>(c.tokens) * c.gating.top_k;
  r.outcome.rows = c.tokens * c.gating.top_k * c.gpus;
  const bool between = c.gpus > machine.gpus_per_node || run.moved(true) > 0;
  (between ? r.rdma : r.nvl) = rate(selections);
  r.rdma_wire = rate(run.moved(true) / c.gpus);
  r.nvl_wire = rate(run.moved(false) / c.gpus);
  const Ports& ports = run.ports();
  r.outcome.network =
      std::max(MostBusy(ports.network_out, r.time), MostBusy(ports.network_in, r.time));
  r.outcome.nvlink =
      std::max(MostBusy(ports.nvlink_out, r.time), MostBusy(ports.nvlink_in, r.time));
  r.bound = r.outcome.network > r.outcome.nvlink ? "network" : "NVLink";
  // Read to be sent, written where it arrives, read and written into its place.
  r.memory = RoundBytes(4 * selections * static_cast<double>(r.row.value()));
  r.memory_share = (r.memory / machine.memory) / r.time;
  return r;
}

}  // namespace pipescope::exchange
