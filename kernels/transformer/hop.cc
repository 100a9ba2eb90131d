#include <algorithm>
#include <chrono>

#include "kernels/executor/threads.h"
#include "kernels/transformer/calibrate.h"
#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

// An F whose first step takes a while and the others nothing; nothing at all backwards.
class Idle : public executor::RankWork {
 public:
  explicit Idle(std::chrono::microseconds work, int rests = 0) : work_(work), rests_(rests) {}

  const std::vector<timeline::Label>& labels() const override {
    static const std::vector<timeline::Label> labels(1);
    return labels;
  }

  executor::Steps Plan(const schedules::Action& action, executor::Ports&) override {
    executor::Steps steps;
    const bool forward = schedules::HasForward(action);
    steps.list.push_back({0, timeline::Lane::kCompute, {}, [this, forward]() -> Status {
                            const auto start = std::chrono::steady_clock::now();
                            while (forward && std::chrono::steady_clock::now() - start < work_) {
                            }
                            return {};
                          }});
    for (int i = 0; i < rests_; ++i) {
      steps.list.push_back({0, timeline::Lane::kCompute, {}, []() -> Status { return {}; }});
    }
    steps.takes_activation = steps.gives_activation = forward ? 0 : -1;
    steps.takes_gradient = steps.gives_gradient = forward ? -1 : 0;
    return steps;
  }

  executor::Steps StepEnd() override { return {}; }

 private:
  std::chrono::microseconds work_;
  int rests_;
};

schedules::Schedule AllForwardThenBackward(int microbatches) {
  schedules::Schedule schedule{"hops", 2, 2, microbatches, 1, {{}, {}}};
  for (const auto kind : {schedules::ActionKind::kForward, schedules::ActionKind::kBackward}) {
    for (int m = 0; m < microbatches; ++m) {
      for (int rank = 0; rank < 2; ++rank) {
        schedule.actions[static_cast<size_t>(rank)].push_back(
            {kind, StageId(rank), MicrobatchId(m)});
      }
    }
  }
  return schedule;
}

}  // namespace

Result<double> MeasureHop(int messages) {
  std::vector<std::unique_ptr<executor::RankWork>> works;
  works.push_back(std::make_unique<Idle>(std::chrono::microseconds(200)));
  works.push_back(std::make_unique<Idle>(std::chrono::microseconds(0)));
  const auto run = executor::RunOnThreads(AllForwardThenBackward(messages), works, {});
  if (!run) return Fail(run.error());
  const timeline::Timeline& t = run->timeline;
  std::vector<double> hops;
  for (const timeline::Operation& taker : t.operations) {
    if (taker.rank != 1 || taker.released_by < 0) continue;
    const timeline::Operation& message = t.operations[static_cast<size_t>(taker.released_by)];
    if (message.label == 0) continue;  // released by the action before
    const auto& sender = t.operations[static_cast<size_t>(message.released_by)];
    hops.push_back((taker.start - sender.end).seconds());
  }
  if (hops.empty()) return Fail("no message was waited for");
  std::sort(hops.begin(), hops.end());
  return hops[hops.size() / 2];
}

Result<double> MeasureOverhead() {
  constexpr int kRuns = 9, kMicrobatches = 100, kRests = 7;
  const schedules::Schedule schedule = OneRank(kMicrobatches);
  std::vector<double> overheads;
  for (int i = 0; i < kRuns; ++i) {
    std::vector<std::unique_ptr<executor::RankWork>> works;
    works.push_back(std::make_unique<Idle>(std::chrono::microseconds(0), kRests));
    const auto run = executor::RunOnThreads(schedule, works, {});
    if (!run) return Fail(run.error());
    const timeline::Timeline& t = run->timeline;
    overheads.push_back(t.end.seconds() / static_cast<double>(t.operations.size()));
  }
  std::sort(overheads.begin(), overheads.end());
  return overheads[kRuns / 2];
}

}  // namespace pipescope::transformer
