// Replays of programs whose dependencies are known: made-up hosts and streams that follow the rules
// of CUDA, run forward here, written down as a trace, and found out again.
#include "sim/replay/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace pipescope::replay {
namespace {

using trace::OperationClass;
using trace::Trace;

constexpr double kStreamDelay = 2, kLaunchDelay = 8, kWaitDelay = 3;  // microseconds

// A host that launches on streams and makes streams wait for each other; runs as it is written.
class Program {
 public:
  Program() { trace_.sms = 132; }

  void Host(double us) { now_ += us; }

  int Launch(int stream, const std::string& kernel, double us, int64_t blocks = 1) {
    const int self = static_cast<int>(trace_.operations.size());
    double start = now_ + kLaunchDelay;
    if (last_.contains(stream)) start = std::max(start, End(last_[stream]) + kStreamDelay);
    for (const int other : waits_[stream]) start = std::max(start, End(other) + kWaitDelay);
    waits_[stream].clear();
    trace_.operations.push_back({trace::DeviceWork::kKernel,
                                 NameOf(kernel),
                                 0,
                                 stream,
                                 self,
                                 -1,
                                 {blocks, 1, 1},
                                 {128, 1, 1},
                                 Bytes(0),
                                 Microseconds(start),
                                 Microseconds(us)});
    trace_.launches.push_back({self, 0, Microseconds(now_), NameOf("cudaLaunchKernel")});
    last_[stream] = self;
    return self;
  }

  // The stream's next launch waits for the other's last.
  void Wait(int stream, int other) {
    now_ += 0.5;
    trace_.launches.push_back({-1, 0, Microseconds(now_), NameOf("cudaStreamWaitEvent")});
    if (last_.contains(other)) waits_[stream].push_back(last_[other]);
    now_ += 0.5;
  }

  // The host waits for an operation, and goes on a little later.
  void Synchronize(int operation, double after) { now_ = std::max(now_, End(operation)) + after; }

  Trace Write() const {
    Trace trace = trace_;
    std::stable_sort(trace.operations.begin(), trace.operations.end(),
                     [](const auto& a, const auto& b) { return a.start < b.start; });
    return trace;
  }

 private:
  double End(int i) const { return trace_.operations[static_cast<size_t>(i)].end().microseconds(); }
  int32_t NameOf(const std::string& name) {
    const auto at = std::find(trace_.names.begin(), trace_.names.end(), name);
    const auto index = static_cast<int32_t>(at - trace_.names.begin());
    if (at == trace_.names.end()) trace_.names.push_back(name);
    return index;
  }

  Trace trace_;
  double now_ = 0;
  std::map<int, int> last_;
  std::map<int, std::vector<int>> waits_;
};

double Span(const Trace& trace, const Scales& scales = {}) {
  const auto replay = ReplayTrace(trace, scales);
  if (!replay) ADD_FAILURE() << replay.error().ToString();
  return replay ? replay->replayed.microseconds() : -1;
}

Scales Scaled(OperationClass c, double by) {
  Scales scales;
  scales.of_class[static_cast<size_t>(c)] = by;
  return scales;
}

TEST(Replay, AChainOverTwoStreams) {
  Program program;
  for (int i = 0; i < 10; ++i) {
    program.Launch(7, "gemm_kernel", 10);
    program.Wait(20, 7);
    program.Launch(20, "ncclDevKernel_AllReduce", 30);
    program.Wait(7, 20);
  }
  const Trace trace = program.Write();
  EXPECT_NEAR(Span(trace), 10 * 46 - 3, 0.1);
  EXPECT_NEAR(Span(trace, Scaled(OperationClass::kAllReduce, 0.5)), 10 * 31 - 3, 0.1);
  EXPECT_NEAR(Span(trace, Scaled(OperationClass::kGemm, 2)), 10 * 56 - 3, 0.1);
}

TEST(Replay, AHostThatIsTooSlow) {
  Program program;
  for (int i = 0; i < 100; ++i) {
    program.Host(10);
    program.Launch(7, "gemm_kernel", 1);
  }
  const Trace trace = program.Write();
  EXPECT_NEAR(Span(trace), 99 * 10 + 1, 0.1);
  Scales host;
  host.host = 0.5;
  EXPECT_NEAR(Span(trace, host), 99 * 5 + 1, 0.1);
  // Kernels still end before the next launch; delays on the stream were never seen, and are none.
  EXPECT_NEAR(Span(trace, Scaled(OperationClass::kGemm, 3)), 99 * 10 + 3, 0.1);
}

TEST(Replay, AHostThatWaitsForTheDevice) {
  Program program;
  for (int i = 0; i < 5; ++i) {
    const int counts = program.Launch(20, "internode::notify_dispatch", 1000);
    program.Launch(7, "gemm_kernel", 5000);
    program.Synchronize(counts, 20);
    program.Launch(20, "internode::dispatch", 100);
    program.Wait(20, 7);
  }
  const Trace trace = program.Write();
  const auto replay = ReplayTrace(trace);
  ASSERT_TRUE(replay);
  EXPECT_EQ(replay->dependencies.pauses, 5);
  EXPECT_NEAR(replay->replayed / replay->recorded, 1, 1e-3);
  // Twice the wait shows only where the next dispatch would wait for the GEMM: nowhere but at the
  // start, in whose shadow the GEMM runs.
  EXPECT_NEAR(Span(trace, Scaled(OperationClass::kGemm, 2)) - replay->replayed.microseconds(),
              5 * 5000, 100);
}

TEST(Replay, KernelsThatNeedAllSmsTakeTurns) {
  Program program;
  program.Launch(7, "wgrad_gemm", 300, 112);
  program.Launch(23, "wgrad_gemm", 600, 112);  // of which 300 are its own
  const Trace trace = program.Write();
  const auto replay = ReplayTrace(trace);
  ASSERT_TRUE(replay);
  ASSERT_EQ(replay->dependencies.turns.size(), 1u);
  EXPECT_EQ(replay->dependencies.turns[0].work, Microseconds(300));
  EXPECT_EQ(replay->replayed, Microseconds(600));
  EXPECT_NEAR(Span(trace, Scaled(OperationClass::kWeightGradGemm, 0.5)), 300, 1e-6);
}

TEST(Replay, RandomProgramsTakeAsLongAsTheyDid) {
  std::mt19937 random(5);
  const auto up_to = [&](int most) { return static_cast<int>(random() % unsigned(most)); };
  constexpr const char* kKernels[] = {"gemm_kernel", "elementwise", "ncclDevKernel_AllReduce"};
  for (int round = 0; round < 300; ++round) {
    Program program;
    const int streams = 1 + up_to(4), count = 50 + up_to(200);
    int last = -1;
    for (int i = 0; i < count; ++i) {
      program.Host(1 + up_to(6));
      if (up_to(4) == 0) program.Wait(up_to(streams), up_to(streams));
      if (last >= 0 && up_to(30) == 0) program.Synchronize(last, 10 + up_to(20));
      last = program.Launch(up_to(streams), kKernels[up_to(3)], 5 + up_to(300));
    }
    const auto replay = ReplayTrace(program.Write());
    ASSERT_TRUE(replay);
    EXPECT_NEAR(replay->replayed / replay->recorded, 1, 0.02) << "round " << round;
    const auto& all = replay->trace.operations;
    for (size_t i = 1; i < all.size(); ++i) ASSERT_LE(all[i - 1].start, all[i].start);
  }
}

TEST(Replay, TooManyStreamsAreRefused) {
  Program program;
  for (int s = 0; s <= static_cast<int>(kMostStreams); ++s) program.Launch(s, "gemm_kernel", 1);
  const auto replay = ReplayTrace(program.Write());
  ASSERT_FALSE(replay);
  EXPECT_NE(replay.error().message.find("65 streams; at most 64"), std::string::npos);
}

}  // namespace
}  // namespace pipescope::replay
