// Adds up what flows carry over the fabric's links while a step runs (sim/result/link_use.h).
//
// The step's length is not known beforehand: slices begin a microsecond long, and whenever time
// runs past the last of them two neighbours become one. So there are always few, all equally long.
//
//   4 slices of 1 us, bytes until 5 us  ->  4 slices of 2 us, the first two hold what four held
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"
#include "sim/result/link_use.h"
#include "sim/step_flow/step_network.h"
#include "sim/step_flow/transfers.h"

namespace pipescope {

class LinkMeter {
 public:
  LinkMeter(const Experiment& experiment, const TaskGraph& graph, const StepNetwork& network);

  // Flows [first, first + count) of what the task sent, from its start on.
  void Add(const Task& task, const std::shared_ptr<const Transfers>& transfers, int64_t first,
           int64_t count, Duration start, Duration end);
  // Of a step that ends then.
  LinkUse Take(Duration end);

 private:
  static constexpr size_t kSlices = 256;
  struct Counted {
    std::shared_ptr<const Transfers> transfers;
    std::vector<double> by_class;
    int64_t runs = 0;
  };

  std::vector<double> Sum(const Transfers& transfers, int64_t first, int64_t count) const;
  void AddToLinks(const Transfers& transfers, int64_t first, int64_t count, int64_t times);
  void Flush();
  static void Spread(std::vector<double>& slices, double start, double end, double bytes);
  void Widen(double end);

  const TaskGraph& graph_;
  const flow::Network& network_;
  LinkUse use_;                                     // names and counts of all classes
  std::vector<int32_t> class_of_;                   // link; -1: HBM
  std::vector<double> link_bytes_;                  // link
  std::vector<std::vector<double>> slices_;         // [class][slice] bytes
  std::vector<std::vector<double>> works_, ranks_;  // [class][...] bytes
  double slice_ = 1e-6;                             // seconds
  std::map<const Transfers*, Counted> counted_;     // not yet in link_bytes_
};

}  // namespace pipescope
