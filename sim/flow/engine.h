// Flows that share links max-min fairly, added and finished as time goes on.
//
// Model. At every instant the rates x of the flows that move bytes are the max-min fair ones: no
// flow's rate can be raised without lowering that of a flow which is no faster. Equivalently
// (Bertsekas & Gallager, Data Networks, 6.5.2)
//   for each link l:  sum over flows of weight * x  <=  capacity,   and
//   each flow has a bottleneck: a full link on which no flow is faster, or its own cap.
// The rates change only when a flow starts or ends or a link's capacity changes.
//
// Example: two flows over a link of 10 GB/s, one of them also over a link of 4 GB/s: they run at 6
// and 4 GB/s.
//
// Times are whole picoseconds; a flow ends at the first picosecond at which its bytes have moved.
// The engine stands at Now(). A driver adds what starts now, asks for Next(), goes there, and is
// told who ended:
//
//   FlowId a = engine.Add(pattern);
//   while (engine.Next() < Duration::Max()) engine.AdvanceTo(engine.Next(), ended);
#pragma once

#include <memory>
#include <vector>

#include "sim/base/units.h"
#include "sim/flow/network.h"
#include "sim/flow/pattern.h"

namespace pipescope::flow {

// `count` flows with consecutive ids, `first` the lowest, ended at `time`.
struct Ended {
  Duration time;
  FlowId first = 0;
  int64_t count = 0;

  friend bool operator==(const Ended&, const Ended&) = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual Duration Now() const = 0;
  // Adds a batch now; flow f of the batch gets the id that is returned, plus f. What is added often
  // is made a pattern once.
  virtual FlowId Add(std::shared_ptr<const Pattern> pattern) = 0;
  // Stops a flow that was added and is neither ended nor cancelled; it is never reported.
  virtual void Cancel(FlowId flow) = 0;
  // From now on. 0: the link is dead, and what crosses it waits.
  virtual void SetCapacity(int32_t link, Bandwidth capacity) = 0;

  // When a flow ends next unless the driver intervenes, or earlier where the engine has something
  // of its own to do before (a latency is over); Duration::Max() where nothing will ever happen.
  virtual Duration Next() = 0;
  // Goes to `time` (>= Now()) and appends what ended until then, by time, then by id. To
  // Duration::Max(): until nothing happens any more, after which nothing can be added.
  virtual void AdvanceTo(Duration time, std::vector<Ended>& ended) = 0;
};

}  // namespace pipescope::flow
