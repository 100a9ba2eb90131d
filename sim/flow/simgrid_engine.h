// SimGrid 3.32 behind the same interface: the reference for the native engine.
//
// SimGrid's network models add things that max-min sharing does not have. Each is switched off:
//
//   network/model:CM02            no latency or bandwidth factors measured on some TCP
//   (LV08's 13.01 network/latency-factor:1      and 0.97) network/bandwidth-factor:1
//   network/crosstraffic:0        no acknowledgements that load the way back
//   network/TCP-gamma:0           no window that bounds a rate by gamma / (2 * latency)
//   network/weight-S:0            shares that do not depend on a route's bandwidths
//   maxmin/precision:1e-9         its solver's and its clock's tolerance; the defaults, 1e-5 each,
//   surf/precision:1e-12          stop up to 1e-5 of a link's capacity short
//
// and these are kept out, since no switch does:
//
//   latency   CM02 gives a flow a share in inverse proportion to its latency. All links here have
//             none; a flow is started when its latency is over.
//   caps      Comm::set_rate does nothing for a transfer between hosts (sendto). A cap is a link of
//             the flow's own; a pattern with caps must not be added again while it runs.
//   bounds    CM02 never lets a flow run faster than its route's least bandwidth when it started,
//             not even after a link got wider. All links are made wide for that instant.
//   dead link a bandwidth of 0 is taken for none given: 1e-6 byte/s instead.
//   weights   a Comm takes weight 1 of each link; weighted flows need parallel tasks.
//
// Parallel tasks (host/model:ptask_L07) carry what is too much for flows, of which SimGrid takes
// some thousand at once: a batch is one task, which moves all bytes of its flows over their links
// together, and all of them end with it. That is exact for a batch of equal flows. Where two tasks
// share a link, L07 shares fairly by part of the task done, not by byte.
//
// SimGrid runs once in a process, and its platform is fixed before it runs. So each engine is a
// process of its own, forked by the constructor, which has to be told all patterns; it dies with
// the engine. To see the next end without going there, it forks once more. The process that makes
// an engine should have one thread.
#pragma once

#include <memory>
#include <vector>

#include "sim/flow/engine.h"
#include "sim/flow/run.h"

namespace pipescope::flow {

class SimGridEngine : public Engine {
 public:
  enum class Mode { kFlows, kParallelTasks };

  SimGridEngine(const Network& network, std::vector<std::shared_ptr<const Pattern>> patterns,
                Mode mode = Mode::kFlows);
  explicit SimGridEngine(const Plan& plan, Mode mode = Mode::kFlows);
  ~SimGridEngine() override;
  SimGridEngine(const SimGridEngine&) = delete;
  SimGridEngine& operator=(const SimGridEngine&) = delete;

  Duration Now() const override { return now_; }
  // One of the patterns that the constructor was given.
  FlowId Add(std::shared_ptr<const Pattern> pattern) override;
  // Not for parallel tasks, of which a flow is a part.
  void Cancel(FlowId flow) override;
  void SetCapacity(int32_t link, Bandwidth capacity) override;
  Duration Next() override;
  void AdvanceTo(Duration time, std::vector<Ended>& ended) override;

 private:
  std::vector<std::shared_ptr<const Pattern>> patterns_;
  FlowId flows_ = 0;
  Duration now_;
  int socket_ = -1;
  int process_ = -1;
};

}  // namespace pipescope::flow
