// Simulated pipelines written as one profiler trace a rank, on clocks that disagree: alignment
// finds the clocks' offsets, and the bubbles are those of the simulation.
#include "sim/trace/pipeline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "schedules/token.h"
#include "sim/timeline/bubbles.h"
#include "sim/trace/read.h"

namespace pipescope::trace {
namespace {

using schedules::Action;
using schedules::ActionKind;

constexpr double kUnit = 100;  // microseconds
constexpr double kComm = 0.25;

// Rank r's clock is ahead by this, in microseconds.
double Ahead(int rank) { return rank * 1234.5 - (rank == 2 ? 90000 : 0); }

struct Simulated {
  schedules::Schedule schedule;
  schedules::Prepared prepared;
  schedules::Timing timing;
};

Simulated Simulate(const std::string& family, int ranks, int microbatches) {
  schedules::Options options;
  options.ranks = ranks;
  options.microbatches = microbatches;
  auto schedule = schedules::Generate(**schedules::FindFamily(family), options).value();
  auto prepared = schedules::Prepare(schedule).value();
  schedules::Costs costs;
  costs.forward.assign(1, 1);
  costs.input_grad.assign(1, 1.2);
  costs.weight_grad.assign(1, 0.8);
  costs.comm = kComm;
  auto timing = schedules::Evaluate(prepared, costs);
  return {schedule, prepared, timing};
}

// A trace under construction, its events in the order they are told.
class Writer {
 public:
  Writer(int rank, bool names) : rank_(rank), names_(names) {}

  void Kernel(const std::string& name, int stream, double start, double length,
              const std::string& more, const std::string& annotation) {
    const double launch = 0.02 * ++correlation_;
    if (names_ && !annotation.empty()) {
      Event("user_annotation", annotation, launch - 0.005, 0.01, "");
    }
    Event("cuda_runtime", "cudaLaunchKernel", launch, 0.0001,
          fmt::format("\"correlation\": {}", correlation_));
    Event("kernel", name, start * kUnit + 50, length * kUnit,
          fmt::format("\"stream\": {}, \"correlation\": {}, \"grid\": [112, 1, 1]{}", stream,
                      correlation_, more));
  }

  Trace Read() const {
    const std::string path = fmt::format("{}/rank{}.json", testing::TempDir(), rank_);
    std::ofstream(path) << fmt::format(
        "{{\"distributedInfo\": {{\"rank\": {}}}, \"traceEvents\": "
        "[\n{}]}}\n",
        rank_, text_.substr(0, text_.rfind(',')));
    return ReadTrace(path).value();
  }

 private:
  void Event(const std::string& category, const std::string& name, double start, double length,
             const std::string& args) {
    text_ += fmt::format(
        "{{\"ph\": \"X\", \"cat\": \"{}\", \"name\": \"{}\", \"pid\": 1, \"tid\": 1, \"ts\": "
        "{:.4f}, \"dur\": {:.4f}, \"args\": {{{}}}}},\n",
        category, name, 1e9 + Ahead(rank_) + start, length, args);
  }

  int rank_;
  bool names_;
  int correlation_ = 0;
  std::string text_;
};

// Stage s is on rank s. Every result that goes to another rank is a send and a receive, which end
// when the message is there.
std::vector<Trace> Write(const Simulated& s, bool names) {
  std::vector<Writer> writers;
  for (int r = 0; r < s.schedule.ranks; ++r) writers.emplace_back(r, names);
  std::vector<std::tuple<double, int, int>> messages;  // sent at, from, to
  for (int r = 0; r < s.schedule.ranks; ++r) {
    const auto& actions = s.schedule.actions[static_cast<size_t>(r)];
    for (size_t i = 0; i < actions.size(); ++i) {
      const size_t id = static_cast<size_t>(s.prepared.flow.offset[static_cast<size_t>(r)]) + i;
      const double start = s.timing.start[id], end = s.timing.end[id];
      writers[static_cast<size_t>(r)].Kernel("gemm_kernel", 7, start, end - start, "",
                                             schedules::ToToken(actions[i]));
      const int to = actions[i].kind == ActionKind::kForward ? r + 1 : r - 1;
      const bool sends = actions[i].kind != ActionKind::kWeightGrad;
      if (sends && to >= 0 && to < s.schedule.ranks) messages.emplace_back(end, r, to);
    }
  }
  std::sort(messages.begin(), messages.end());
  for (const auto& [at, from, to] : messages) {
    const std::string who = fmt::format(", \"Src Rank\": {}, \"Dst Rank\": {}", from, to);
    writers[static_cast<size_t>(from)].Kernel("ncclDevKernel_SendRecv", 20 + to, at, kComm,
                                              ", \"Collective name\": \"send\"" + who, "");
    writers[static_cast<size_t>(to)].Kernel("ncclDevKernel_SendRecv", 40 + from, at + kComm / 2,
                                            kComm / 2, ", \"Collective name\": \"recv\"" + who, "");
  }
  std::vector<Trace> traces;
  for (const Writer& writer : writers) traces.push_back(writer.Read());
  return traces;
}

class Pipeline : public testing::TestWithParam<std::tuple<const char*, bool>> {};

TEST_P(Pipeline, BubblesAreThoseOfTheSimulation) {
  const auto [family, names] = GetParam();
  const Simulated simulated = Simulate(family, 4, 10);
  const std::vector<Trace> traces = Write(simulated, names);
  const auto alignment = Align(traces);
  ASSERT_TRUE(alignment) << alignment.error().ToString();
  for (size_t r = 0; r < 4; ++r) {
    EXPECT_NEAR(static_cast<double>(alignment->clock_ns[r]) / 1000, Ahead(static_cast<int>(r)),
                0.01);
  }
  EXPECT_LE(alignment->error, Duration(5000));
  const auto pipeline = PipelineOf(traces, *alignment);
  ASSERT_TRUE(pipeline) << pipeline.error().ToString();
  const timeline::Bubbles bubbles = timeline::FindBubbles(pipeline->timeline);
  EXPECT_NEAR(pipeline->timeline.pipeline_end.microseconds(), simulated.timing.makespan * kUnit,
              0.05);
  for (size_t r = 0; r < 4; ++r) {
    EXPECT_NEAR(bubbles.per_rank[r].microseconds(), simulated.timing.bubble[r] * kUnit, 0.1);
    const auto count = static_cast<int64_t>(simulated.schedule.actions[r].size());
    EXPECT_EQ(pipeline->named[r], names ? count : 0);
  }
  EXPECT_NEAR(bubbles.makespan_rate, simulated.timing.makespan_rate, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, Pipeline,
                         testing::Combine(testing::Values("1f1b", "gpipe", "zb-h1"),
                                          testing::Bool()));

TEST(Align, StrangersAreRefused) {
  std::vector<Trace> traces = Write(Simulate("1f1b", 2, 4), true);
  for (DeviceOperation& op : traces[1].operations) op.common = -1;
  const auto alignment = Align(traces);
  ASSERT_FALSE(alignment);
  EXPECT_NE(alignment.error().ToString().find("rank1.json: has no collective or message"),
            std::string::npos);
}

TEST(Align, CollectivesWithoutArgsByTheirName) {
  std::vector<Trace> traces(2);
  for (int t = 0; t < 2; ++t) {
    Trace& trace = traces[static_cast<size_t>(t)];
    trace.names = {"ncclDevKernel_AllReduce_Sum_bf16"};
    for (int i = 0; i < 5; ++i) {
      DeviceOperation op;
      op.start = Microseconds(100 * i + 7 * t);
      op.length = Microseconds(50 + (i == 3 ? t : 0));  // one ends late
      trace.operations.push_back(op);
    }
  }
  const auto alignment = Align(traces);
  ASSERT_TRUE(alignment);
  EXPECT_EQ(alignment->offset[1], Microseconds(7));
  EXPECT_EQ(alignment->common, 5);
}

}  // namespace
}  // namespace pipescope::trace
