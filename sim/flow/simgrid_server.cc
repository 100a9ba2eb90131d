// The process in which SimGrid runs for a SimGridEngine.
#include <sys/wait.h>
#include <unistd.h>
#include <xbt/log.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <map>
#include <simgrid/s4u.hpp>

#include "sim/base/result.h"
#include "sim/flow/simgrid_messages.h"
#include "sim/flow/simgrid_platform.h"

namespace pipescope::flow {
namespace {

namespace s4u = simgrid::s4u;

// A pattern as SimGrid takes it.
struct Heads {
  std::vector<s4u::Host*> of_flow;
  std::vector<s4u::Host*> task_hosts;  // parallel task: the heads of its links, and the sink
  std::vector<double> task_bytes;      // from each of them to each
};

struct Waiting {
  double time = 0;
  FlowId first = 0;
  int64_t count = 1;
  s4u::Host* head = nullptr;
  const Heads* task = nullptr;
  int64_t bytes = 0;
};

struct Running {
  s4u::ActivityPtr activity;
  FlowId first = 0;
  int64_t count = 1;
};

class Server {
 public:
  Server(int socket, const Network& network,
         const std::vector<std::shared_ptr<const Pattern>>& patterns, SimGridEngine::Mode mode)
      : socket_(socket), patterns_(patterns), mode_(mode), platform_(network, sink_) {
    for (const auto& pattern : patterns) heads_.push_back(HeadsOf(pattern->batch()));
    platform_.Seal();
  }
  s4u::Host* sink() const { return sink_; }

  void Serve() {
    for (Request request; ReadAll(socket_, &request, sizeof(request));) {
      switch (request.kind) {
        case Request::Kind::kAdd:
          Add(static_cast<size_t>(request.number));
          break;
        case Request::Kind::kCancel:
          Cancel(request.number);
          break;
        case Request::Kind::kSetCapacity:
          platform_.SetCapacity(request.number, request.capacity);
          break;
        case Request::Kind::kNext:
          AnswerNext();
          break;
        case Request::Kind::kAdvance:
          Advance(Duration(request.time).seconds(), false);
          AnswerEnded(request.time);
      }
    }
    _exit(0);
  }

 private:
  static Duration Clock() { return Seconds(s4u::Engine::get_clock()); }

  Heads HeadsOf(const FlowBatch& batch) {
    Heads heads;
    if (mode_ == SimGridEngine::Mode::kFlows) {
      PIPESCOPE_CHECK(batch.weights.empty());
      for (int64_t f = 0; f < batch.size(); ++f) {
        const auto route = batch.Route(f);
        heads.of_flow.push_back(platform_.HeadOf({route.begin(), route.end()}, batch.Cap(f)));
      }
      return heads;
    }
    std::map<int32_t, double> bytes;
    for (int64_t f = 0; f < batch.size(); ++f) {
      const auto route = batch.Route(f);
      const auto weights = batch.Weights(f);
      for (size_t k = 0; k < route.size(); ++k) {
        bytes[route[k]] += (weights.empty() ? 1 : weights[k]) *
                           static_cast<double>(batch.bytes[static_cast<size_t>(f)].value());
      }
    }
    const size_t n = bytes.size() + 1;
    heads.task_bytes.resize(n * n);
    for (const auto& [l, amount] : bytes) {
      heads.task_bytes[heads.task_hosts.size() * n + n - 1] = amount;
      heads.task_hosts.push_back(platform_.HeadOf({l}, Bandwidth(0)));
    }
    heads.task_hosts.push_back(sink_);
    return heads;
  }

  void Add(size_t number) {
    const FlowBatch& batch = patterns_[number]->batch();
    const double now = s4u::Engine::get_clock();
    if (mode_ == SimGridEngine::Mode::kParallelTasks) {
      waiting_.push_back({now, flows_, batch.size(), nullptr, &heads_[number], 1});
    }
    for (int64_t f = 0; mode_ == SimGridEngine::Mode::kFlows && f < batch.size(); ++f) {
      const size_t at = static_cast<size_t>(f);
      const bool free = batch.Route(f).empty() && batch.Cap(f) == Bandwidth(0);
      waiting_.push_back({now + batch.Latency(f).seconds(), flows_ + f, 1,
                          heads_[number].of_flow[at], nullptr, free ? 0 : batch.bytes[at].value()});
    }
    flows_ += batch.size();
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const Waiting& a, const Waiting& b) { return a.time < b.time; });
    StartDue();
  }

  void Cancel(FlowId flow) {
    std::erase_if(waiting_, [&](const Waiting& w) { return w.first == flow; });
    const auto at = std::find_if(running_.begin(), running_.end(),
                                 [&](const Running& r) { return r.first == flow; });
    if (at == running_.end()) return;
    PIPESCOPE_CHECK(at->count == 1);
    at->activity->cancel();
    running_.erase(at);
  }

  // Starts what has waited long enough.
  void StartDue() {
    if (waiting_.empty() || waiting_.front().time > s4u::Engine::get_clock() + 1e-13) return;
    size_t due = 0;
    platform_.Widen();
    for (; due < waiting_.size(); ++due) {
      const Waiting& w = waiting_[due];
      if (w.time > s4u::Engine::get_clock() + 1e-13) break;
      if (w.bytes == 0) {
        ended_.push_back({Clock(), w.first, w.count});
      } else if (w.task != nullptr) {
        running_.push_back({s4u::this_actor::exec_init(
                                w.task->task_hosts, std::vector<double>(w.task->task_hosts.size()),
                                w.task->task_bytes)
                                ->start(),
                            w.first, w.count});
      } else {
        s4u::CommPtr comm = s4u::Comm::sendto_init();
        comm->set_payload_size(static_cast<uint64_t>(w.bytes));
        comm->set_source(w.head);
        comm->set_destination(sink_);  // which starts it
        running_.push_back({comm, w.first, w.count});
      }
    }
    platform_.Restore();
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<int64_t>(due));
  }

  void TakeEnded() {
    std::erase_if(running_, [&](const Running& r) {
      if (!r.activity->test()) return false;
      ended_.push_back({Clock(), r.first, r.count});
      return true;
    });
  }

  // Until `time`, or until something ends.
  void Advance(double time, bool until_end) {
    TakeEnded();
    while (!(until_end && !ended_.empty())) {
      const double now = s4u::Engine::get_clock();
      double stop = time;
      if (!waiting_.empty()) stop = std::min(stop, waiting_.front().time);
      if (stop == kForever && running_.empty()) return;
      if (running_.empty()) {
        if (stop > now) s4u::this_actor::sleep_until(stop);
      } else if (stop > now) {
        WaitForAny(stop == kForever ? -1 : stop - now);
        TakeEnded();
      }
      StartDue();
      if (stop <= now && stop == time) return;
    }
  }

  void WaitForAny(double timeout) {
    if (mode_ == SimGridEngine::Mode::kFlows) {
      std::vector<s4u::CommPtr> all;
      for (const Running& r : running_) {
        all.push_back(boost::static_pointer_cast<s4u::Comm>(r.activity));
      }
      s4u::Comm::wait_any_for(all, timeout);
    } else {
      std::vector<s4u::ExecPtr> all;
      for (const Running& r : running_) {
        all.push_back(boost::static_pointer_cast<s4u::Exec>(r.activity));
      }
      s4u::Exec::wait_any_for(all, timeout);
    }
  }

  // By a process that goes there in this one's stead.
  void AnswerNext() {
    const pid_t scout = fork();
    PIPESCOPE_CHECK(scout >= 0);
    if (scout == 0) {
      const double now = s4u::Engine::get_clock();
      Advance(kForever, true);
      const double end = s4u::Engine::get_clock();
      int64_t next = Duration::Max().picoseconds();
      if (!ended_.empty())
        next = Seconds(end > now ? std::max(end, now + 1e-12) : now).picoseconds();
      _exit(WriteAll(socket_, &next, sizeof(next)) ? 0 : 1);
    }
    while (waitpid(scout, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  void AnswerEnded(int64_t time) {
    for (Ended& e : ended_) e.time = std::min(e.time, Duration(time));
    std::sort(ended_.begin(), ended_.end(), [](const Ended& a, const Ended& b) {
      return a.time != b.time ? a.time < b.time : a.first < b.first;
    });
    const int64_t count = static_cast<int64_t>(ended_.size());
    WriteAll(socket_, &count, sizeof(count));
    WriteAll(socket_, ended_.data(), ended_.size() * sizeof(Ended));
    ended_.clear();
  }

  static constexpr double kForever = std::numeric_limits<double>::infinity();

  int socket_;
  const std::vector<std::shared_ptr<const Pattern>>& patterns_;
  SimGridEngine::Mode mode_;
  s4u::Host* sink_ = nullptr;
  Platform platform_;
  std::vector<Heads> heads_;
  FlowId flows_ = 0;
  std::vector<Waiting> waiting_;  // by time
  std::vector<Running> running_;
  std::vector<Ended> ended_;
};

}  // namespace

void ServeSimGrid(int socket, const Network& network,
                  const std::vector<std::shared_ptr<const Pattern>>& patterns,
                  SimGridEngine::Mode mode) {
  int argc = 1;
  char name[] = "pipescope";
  char* argv[] = {name, nullptr};
  xbt_log_control_set("root.thresh:critical");
  s4u::Engine engine(&argc, argv);
  if (mode == SimGridEngine::Mode::kParallelTasks) {
    s4u::Engine::set_config("host/model:ptask_L07");
  } else {
    s4u::Engine::set_config("network/model:CM02");
  }
  for (const char* setting : {"network/latency-factor:1", "network/bandwidth-factor:1",
                              "network/crosstraffic:0", "network/TCP-gamma:0", "network/weight-S:0",
                              "maxmin/precision:1e-9", "surf/precision:1e-12"}) {
    s4u::Engine::set_config(setting);
  }
  Server server(socket, network, patterns, mode);
  s4u::Actor::create("server", server.sink(), [&server] { server.Serve(); });
  engine.run();
}

}  // namespace pipescope::flow
