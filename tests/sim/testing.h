// What the tests of the simulator share: small experiments made in code.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/experiment/experiment.h"
#include "sim/lowering/task_graph.h"
#include "sim/result/result_types.h"

namespace pipescope {

// The value, or an aborted test that says why there is none.
template <class T>
T Must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().ToString();
    std::abort();
  }
  return std::move(*result);
}

struct Small {
  int ranks = 4;
  int microbatches = 8;
  int layers = 8;
  int dense_layers = 0;
  int mtp_modules = 0;
  int expert = 16;
  int data = 16;
  int tensor = 1;
  int context = 1;
  int sms = 20;
  int64_t tokens = 512;
  bool fp8 = true;
  double nic_gigabytes = 50;
};

// A model of 64 experts and width 1024 on nodes of 8 GPUs with 8 NICs; as many nodes as it takes.
Experiment MakeExperiment(const Small& small);

// The task graph of that experiment under a schedule, balanced over its stages.
TaskGraph LowerSchedule(const Experiment& experiment, const std::string& schedule);

// Templates and tasks for graphs written by hand.
int32_t AddTemplate(TaskGraph& graph, Duration time, std::array<double, kResources> rates = {});
int32_t AddTask(TaskGraph& graph, int32_t rank, int32_t templ, std::vector<int32_t> after = {});

// Every task started exactly when the one that released it ended, or at the step's start.
void ExpectReleasedExactly(const timeline::Timeline& timeline);

}  // namespace pipescope
