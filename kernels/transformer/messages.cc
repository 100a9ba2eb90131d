#include "kernels/transformer/messages.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "kernels/executor/numbers.h"
#include "kernels/executor/packed.h"
#include "kernels/executor/post_transport.h"
#include "kernels/executor/thread_seconds.h"
#include "schedules/token.h"
#include "sim/base/quantile.h"

namespace pipescope::transformer {
namespace {

// An F that takes a while and gives so many values; nothing at all backwards.
class Idle : public executor::RankWork {
 public:
  Idle(std::chrono::microseconds work, size_t values) : work_(work), values_(values) {}

  const std::vector<timeline::Label>& labels() const override {
    static const std::vector<timeline::Label> labels(1);
    return labels;
  }

  executor::Steps Plan(const schedules::Action& action, executor::Ports& ports) override {
    executor::Steps steps;
    const bool forward = schedules::HasForward(action);
    ports.activation_out.resize(values_);
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
  size_t values_;
};

schedules::Schedule AllForwardThenBackward(int ranks, int microbatches) {
  schedules::Schedule schedule{"hops", ranks, ranks, microbatches, 1, {}};
  schedule.actions.resize(static_cast<size_t>(ranks));
  for (const auto kind : {schedules::ActionKind::kForward, schedules::ActionKind::kBackward}) {
    for (int m = 0; m < microbatches; ++m) {
      for (int rank = 0; rank < ranks; ++rank) {
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

double TypicalOf(const std::vector<double>& seconds, bool awake) {
  return Quantile(seconds, awake ? 0.1 : 0.5);
}

// Rank 0 sends to rank 1, a message whenever that one asks for it, as a run does
// (post_transport.h).
class EndsOfMessages {
 public:
  EndsOfMessages(executor::Post& post, size_t values)
      : post_(post), transport_(post), values_(values) {}

  Status SendAll() {
    return Each([&](const executor::MessageName& name) -> Status {
      if (const auto asked = post_.Receive<char>(1, executor::kAskNumber); !asked) {
        return Fail(asked.error());
      }
      executor::Payload payload(values_, 1);
      return Time([&]() -> Status {
        const Status sent = transport_.Send(name, std::move(payload));
        transport_.Progress();
        return sent;
      });
    });
  }

  Status ReceiveAll() {
    return Each([&](const executor::MessageName& name) -> Status {
      if (Status asked = post_.Send<char>(0, executor::kAskNumber, std::vector<char>()); !asked) {
        return asked;
      }
      return Time([&]() -> Status {
        const auto received = transport_.Receive(name);
        return received ? Status() : Fail(received.error());
      });
    });
  }

  double Typical(bool awake) const { return seconds_.empty() ? 0 : TypicalOf(seconds_, awake); }

 private:
  static Status Each(const std::function<Status(const executor::MessageName&)>& work) {
    constexpr int kMessages = 100;
    for (int i = 0; i < kMessages; ++i) {
      if (Status ok = work({0, 1, i, false}); !ok) return ok;
    }
    return {};
  }

  // But for looks in vain.
  Status Time(const std::function<Status()>& work) {
    const double waited = executor::SecondsWaited(), start = executor::ThreadSeconds();
    const Status ok = work();
    const double end = executor::ThreadSeconds();
    const double clock = clock_ + executor::SecondsWaited() - waited;
    seconds_.push_back(std::max(0.0, end - start - clock));
    return ok;
  }

  executor::Post& post_;
  executor::PostTransport transport_;
  const size_t values_;
  const double clock_ = executor::ThreadSecondsCost();
  std::vector<double> seconds_;
};

}  // namespace

Result<MessageEnds> MeasureEnds(executor::Crew& crew, bool awake, size_t values) {
  executor::Post* const post = crew.post();
  if (post == nullptr || post->ranks() < 2) return MessageEnds();
  EndsOfMessages ends(*post, values);
  Status status;
  crew.OnRanks({}, post->ranks(), [&](size_t) {
    if (post->rank() == 0) status = ends.SendAll();
    if (post->rank() == 1) status = ends.ReceiveAll();
  });
  if (!status) return Fail(status.error());
  executor::Packer packer;
  packer.Put(ends.Typical(awake));
  const auto all = crew.Gather(packer.Take());
  if (!all) return Fail(all.error());
  if (!crew.leads()) return MessageEnds();
  const auto of = [&](size_t rank) { return executor::Unpacker((*all)[rank]).Get<double>(); };
  return MessageEnds{of(0), of(1)};
}

Result<double> MeasureHop(executor::Crew& crew, bool awake, size_t values) {
  constexpr int kRuns = 20, kMessages = 20;
  const int ranks = crew.ranks().value_or(2);
  if (ranks < 2) return 0;
  std::vector<double> all;
  for (int i = 0; i < kRuns; ++i) {
    executor::Works works;
    for (const int rank : crew.RanksOf(ranks)) {
      works.push_back(
          std::make_unique<Idle>(std::chrono::microseconds(rank == 0 ? 200 : 0), values));
    }
    const auto run = crew.RunStep(AllForwardThenBackward(ranks, kMessages), works);
    if (!run) return Fail(run.error());
    const auto hops = HopsOf(run->timeline);
    all.insert(all.end(), hops.begin(), hops.end());
  }
  if (!crew.leads()) return 0;
  if (all.empty()) return Fail("no message was waited for");
  return TypicalOf(all, awake);
}

}  // namespace pipescope::transformer
