// The native engine: exact max-min fair sharing, as fast as the structure of the traffic allows.
//
//   classes       equal flows are one variable, taken apart when something breaks their symmetry
//                 (pattern.h): an all-to-all of a million flows is solved as one
//   tight links   only links that could be full couple what crosses them (state.h)
//   components    an event only touches the links that are coupled to it (components.h)
//   links         progress is kept by link, so that new levels move no flow (state.h)
//   filling       levels from the order of the last time, proved each time (filling.h)
//
// What happens at one instant is solved once: ends and additions only mark their component, and
// levels are found when the engine is asked for what comes next.
//
// Cost of an event in a component of L links and F variables with routes of K links: O(F K + 16 L).
#pragma once

#include <memory>
#include <queue>
#include <unordered_set>
#include <vector>

#include "sim/flow/components.h"
#include "sim/flow/engine.h"
#include "sim/flow/filling.h"

namespace pipescope::flow {

class NativeEngine : public Engine {
 public:
  explicit NativeEngine(const Network& network);

  Duration Now() const override { return Duration(now_); }
  FlowId Add(std::shared_ptr<const Pattern> pattern) override;
  void Cancel(FlowId flow) override;
  void SetCapacity(int32_t link, Bandwidth capacity) override;
  Duration Next() override;
  void AdvanceTo(Duration time, std::vector<Ended>& ended) override;

  // Of a flow that moves bytes now, found by looking through its first link; 0 for others.
  Bandwidth RateOf(FlowId flow);
  // How many variables there are now: classes, and flows that are on their own.
  int64_t variables() const { return variables_; }

 private:
  struct Batch {
    std::shared_ptr<const Pattern> pattern;  // released with its last flow
    FlowId first = 0;
    int64_t left = 0;
  };
  // A flow or a class whose latency is not over.
  struct Waiting {
    int64_t time;
    int32_t batch;
    int32_t member;        // flow, or
    int32_t class_number;  // class, -1: none
    auto operator<=>(const Waiting&) const = default;
  };
  struct NextEnd {
    int64_t time;
    int32_t component;
    uint32_t version;
    auto operator<=>(const NextEnd&) const = default;
  };
  // When a variable on its own ends; void when it has been placed anew since.
  struct Run {
    int64_t time;
    int32_t variable;
    uint32_t serial;
    uint32_t run;
    auto operator<=>(const Run&) const = default;
  };
  template <class T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<>>;

  const Pattern& PatternOf(int32_t batch) const {
    return *batches_[static_cast<size_t>(batch)].pattern;
  }
  static int64_t EndOf(int64_t from, double bytes, double rate);
  size_t BatchOf(FlowId flow) const;
  // The variable that has this flow, -1: none has.
  int32_t FindVariable(FlowId flow) const;
  void Enter(const Waiting& what);
  void EnterFlow(int32_t batch, int32_t member, double bytes);
  void EnterClass(const Waiting& what);
  void Start(int32_t v, double bytes);
  void Leave(int32_t v);
  void TakeApart(int32_t v);
  void MarkDirty(int32_t c);
  double MostOf(const Variable& var) const;
  // Bytes of each member that are left now.
  double Left(int32_t v);
  void Queue(int32_t v);
  void TakeOff(int32_t v);
  void TakeLooseApart();
  void Place();
  void RunAlone(int32_t v);
  void EnterOnTight(int32_t v, int32_t tight);
  void SetOwnRoute(int32_t v, int32_t tight, bool capped);
  void Settle();
  void SettleOnce();
  void SweepLinks(const Component& component);
  void Solve(int32_t c);
  void EnterWaiting();
  bool IsRun(const Run& run) const;
  void EndRuns();
  void EndIn(int32_t c);
  void Report(int32_t batch, const Variable* v, int32_t member);
  void Flush(std::vector<Ended>& ended);
  int64_t NextTime();

  int64_t now_ = 0;
  FlowId flows_ = 0;
  int64_t variables_ = 0;
  FlowState state_;
  Components components_;
  Filling filling_;
  std::vector<Batch> batches_;
  Earliest<Waiting> waiting_;
  Earliest<NextEnd> ends_;
  Earliest<Run> runs_;
  std::vector<int32_t> queue_;  // to be placed
  std::vector<int32_t> dirty_;
  std::vector<int32_t> gone_;             // variables that left since the links were swept
  std::vector<int32_t> finished_;         // batches whose pattern nobody needs then
  std::vector<Ended> ended_now_;          // at now_, not reported yet
  std::unordered_set<FlowId> cancelled_;  // while they wait
};

}  // namespace pipescope::flow
