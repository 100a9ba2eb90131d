#include <algorithm>
#include <chrono>

#include "kernels/executor/threads.h"
#include "kernels/transformer/calibrate.h"
#include "schedules/token.h"

namespace pipescope::transformer {
namespace {

// An F that takes a while; nothing at all backwards.
class Idle : public executor::RankWork {
 public:
  explicit Idle(std::chrono::microseconds work) : work_(work) {}

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
    steps.takes_activation = steps.gives_activation = forward ? 0 : -1;
    steps.takes_gradient = steps.gives_gradient = forward ? -1 : 0;
    return steps;
  }

  executor::Steps StepEnd() override { return {}; }

 private:
  std::chrono::microseconds work_;
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

// Of messages that were waited for.
std::vector<double> HopsOf(const timeline::Timeline& t) {
  std::vector<double> hops;
  for (const timeline::Operation& taker : t.operations) {
    if (taker.rank != 1 || taker.released_by < 0) continue;
    const timeline::Operation& message = t.operations[static_cast<size_t>(taker.released_by)];
    if (message.label == 0) continue;  // released by the action before
    const auto& sender = t.operations[static_cast<size_t>(message.released_by)];
    hops.push_back((taker.start - sender.end).seconds());
  }
  return hops;
}

}  // namespace

Result<double> MeasureHop(bool awake) {
  constexpr int kRuns = 20, kMessages = 20;
  executor::ThreadOptions options;
  options.may_wait_awake = awake;
  std::vector<double> all;
  for (int i = 0; i < kRuns; ++i) {
    std::vector<std::unique_ptr<executor::RankWork>> works;
    works.push_back(std::make_unique<Idle>(std::chrono::microseconds(200)));
    works.push_back(std::make_unique<Idle>(std::chrono::microseconds(0)));
    const auto run = executor::RunOnThreads(AllForwardThenBackward(kMessages), works, options);
    if (!run) return Fail(run.error());
    const auto hops = HopsOf(run->timeline);
    all.insert(all.end(), hops.begin(), hops.end());
  }
  if (all.empty()) return Fail("no message was waited for");
  std::sort(all.begin(), all.end());
  return all[all.size() / (awake ? 10 : 2)];
}

}  // namespace pipescope::transformer
