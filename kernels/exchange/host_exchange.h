// The exchange among ranks of one process, whatever its warps are made of.
//
// `Warps` has the type Fabric, and Make<Role>(memory, rank, ...) that gives a task which steps a
// role of that fabric; `memory` is a CpuFabric, which the fabric may stand on.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

#include "kernels/exchange/cpu_fabric.h"
#include "kernels/exchange/exchange.h"
#include "kernels/exchange/notify.h"
#include "kernels/exchange/roles.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

template <class Warps>
class HostExchange : public Exchange {
 public:
  static Result<std::unique_ptr<Exchange>> Make(const Config& config, const Schedule& schedule);

  Result<std::vector<DispatchOutput>> Dispatch(const std::vector<DispatchInput>& inputs) override;
  Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) override;
  Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                             bool weights) override;
  Result<std::vector<double>> Seconds(Part part, int runs) override;

 private:
  using Fabric = typename Warps::Fabric;

  HostExchange(const Config& config, const Schedule& schedule);
  Result<std::vector<DispatchOutput>> Send(const std::vector<DispatchInput>& inputs,
                                           bool with_experts);
  Status Notify();
  template <Direction direction>
  Status Run();

  const Config config_;
  const Window window_;
  const Schedule schedule_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::byte*> windows_;
  std::vector<Rank> ranks_;
  bool planned_ = false;
  // Of the last calls: what Seconds does again works on them.
  std::vector<DispatchInput> inputs_;
  std::vector<DispatchOutput> received_;
  std::vector<CombineInput> results_;
  std::vector<CombineOutput> sums_;
};

template <class Warps>
Result<std::unique_ptr<Exchange>> HostExchange<Warps>::Make(const Config& config,
                                                            const Schedule& schedule) {
  if (auto ok = CheckConfig(config); !ok) return Fail(ok.error());
  constexpr int64_t kMostBytes = int64_t{8} << 30;
  const int64_t bytes = Window(config).bytes() * config.ranks();
  if (bytes > kMostBytes) {
    return Fail(fmt::format("the rings of {} ranks need {} bytes: expected at most {} on a CPU",
                            config.ranks(), bytes, kMostBytes));
  }
  return std::unique_ptr<Exchange>(new HostExchange(config, schedule));
}

template <class Warps>
HostExchange<Warps>::HostExchange(const Config& config, const Schedule& schedule)
    : config_(config),
      window_(config_),
      schedule_(schedule),
      memory_(2 * static_cast<size_t>(config.ranks())),
      ranks_(static_cast<size_t>(config.ranks())) {
  for (size_t r = 0; r < ranks_.size(); ++r) {
    std::vector<std::byte>& window = memory_[2 * r];
    std::vector<std::byte>& plan = memory_[2 * r + 1];
    window.resize(static_cast<size_t>(window_.bytes()));
    windows_.push_back(window.data());
    plan.resize(static_cast<size_t>(MakePlan(config, nullptr, &ranks_[r].plan)));
    MakePlan(config, plan.data(), &ranks_[r].plan);
    ranks_[r].config = config;
    ranks_[r].node = config.NodeOf(static_cast<int>(r));
    ranks_[r].local = config.LocalOf(static_cast<int>(r));
  }
}

template <class Warps>
Status HostExchange<Warps>::Notify() {
  std::vector<std::vector<Task>> layout(ranks_.size());
  std::vector<std::vector<Task>> notify(ranks_.size());
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const CpuFabric memory(window_, config_, windows_, static_cast<int>(r));
    for (int c = 0; c < config_.channels(); ++c) {
      for (int n = 0; n < config_.nodes; ++n) {
        layout[r].push_back(Warps::template Make<LayOutOnce<Fabric>>(memory, ranks_[r], c, n));
      }
    }
    notify[r].push_back(Warps::template Make<exchange::Notify<Fabric>>(memory, ranks_[r]));
  }
  if (auto ok = RunTasks(std::move(layout), schedule_); !ok) return ok;
  return RunTasks(std::move(notify), schedule_);
}

template <class Warps>
template <Direction direction>
Status HostExchange<Warps>::Run() {
  std::vector<std::vector<Task>> tasks(ranks_.size());
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const CpuFabric memory(window_, config_, windows_, static_cast<int>(r));
    for (int block = 0; block < config_.sms; ++block) {
      const int sm = block % 2;
      const int warps = config_.per_pair * WarpsOfChannel(config_, direction, sm);
      for (int warp = 0; warp < warps; ++warp) {
        const Role role = RoleOf(config_, direction, block / 2, sm, warp);
        const auto add = [&](auto type, int peer) {
          using R = typename decltype(type)::type;
          tasks[r].push_back(Warps::template Make<R>(memory, ranks_[r], role.channel, peer));
        };
        WithRole<Fabric, direction>(config_, ranks_[r].node, role, add);
      }
    }
  }
  return RunTasks(std::move(tasks), schedule_);
}

template <class Warps>
Result<std::vector<DispatchOutput>> HostExchange<Warps>::Send(
    const std::vector<DispatchInput>& inputs, bool with_experts) {
  inputs_ = inputs;
  received_.clear();
  for (const Rank& rank : ranks_) {
    received_.push_back(PoisonedDispatch(config_, rank.plan.totals[0]));
    const auto* experts = rank.plan.expert_rows;
    received_.back().expert_rows.assign(experts, experts + config_.experts_of_rank());
  }
  for (size_t r = 0; r < ranks_.size(); ++r) {
    SetDispatch(inputs_[r], with_experts, received_[r], &ranks_[r]);
  }
  if (auto ok = this->template Run<Direction::kDispatch>(); !ok) return Fail(ok.error());
  auto outputs = received_;
  if (with_experts) return outputs;
  for (DispatchOutput& output : outputs) {
    output.experts.clear();
    output.weights.clear();
  }
  return outputs;
}

template <class Warps>
Result<std::vector<DispatchOutput>> HostExchange<Warps>::Dispatch(
    const std::vector<DispatchInput>& inputs) {
  if (auto ok = CheckInputs(config_, inputs, true); !ok) return Fail(ok.error());
  for (size_t r = 0; r < ranks_.size(); ++r) {
    ranks_[r].tokens = inputs[r].tokens;
    ranks_[r].in.experts = inputs[r].experts.data();
  }
  if (auto ok = Notify(); !ok) return Fail(ok.error());
  planned_ = true;
  return Send(inputs, true);
}

template <class Warps>
Result<std::vector<DispatchOutput>> HostExchange<Warps>::DispatchAgain(
    const std::vector<DispatchInput>& inputs) {
  if (!planned_) return Fail("a dispatch with an old plan: expected a full dispatch before it");
  for (size_t r = 0; r < ranks_.size(); ++r) {
    if (r >= inputs.size() || inputs[r].tokens != ranks_[r].tokens) {
      return Fail(fmt::format("rank {}: tokens: expected {}, as in the dispatch before", r,
                              ranks_[r].tokens));
    }
  }
  if (auto ok = CheckInputs(config_, inputs, false); !ok) return Fail(ok.error());
  return Send(inputs, false);
}

template <class Warps>
Result<std::vector<CombineOutput>> HostExchange<Warps>::Combine(
    const std::vector<CombineInput>& inputs, bool weights) {
  if (!planned_) return Fail("a combine: expected a dispatch before it");
  if (inputs.size() != ranks_.size()) {
    return Fail(fmt::format("results of {} ranks: expected {}", inputs.size(), ranks_.size()));
  }
  sums_.clear();
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const auto ok = CheckResults(config_, inputs[r], weights, ranks_[r].plan.totals[0], r);
    if (!ok) return Fail(ok.error());
    sums_.push_back(PoisonedCombine(config_, ranks_[r].tokens, weights));
  }
  results_ = inputs;
  for (size_t r = 0; r < ranks_.size(); ++r) SetCombine(results_[r], weights, sums_[r], &ranks_[r]);
  if (auto ok = this->template Run<Direction::kCombine>(); !ok) return Fail(ok.error());
  return sums_;
}

template <class Warps>
Result<std::vector<double>> HostExchange<Warps>::Seconds(Part part, int runs) {
  if (!planned_) return Fail("a part again: expected it once before");
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Status ok = part == Part::kNotify     ? Notify()
                      : part == Part::kDispatch ? this->template Run<Direction::kDispatch>()
                                                : this->template Run<Direction::kCombine>();
    if (!ok) return Fail(ok.error());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    seconds.push_back(took.count());
  }
  return seconds;
}

}  // namespace pipescope::kernels::exchange
