#include "kernels/exchange/cpu_exchange.h"

#include <fmt/format.h>

#include <chrono>

#include "kernels/exchange/notify.h"

namespace pipescope::kernels::exchange {
namespace {

// A task owns its warp and its role.
template <class R, class... Peer>
Task MakeTask(const CpuFabric& fabric, const Rank& rank, Peer... peer) {
  struct Both {
    Both(const CpuFabric& f, const Rank& r, Peer... p) : warp(f), role(r, warp, p...) {}
    CpuFabric warp;
    R role;
  };
  auto both = std::make_shared<Both>(fabric, rank, peer...);
  return [both] { return both->role.Step(both->warp); };
}

}  // namespace

Result<std::unique_ptr<Exchange>> CpuExchange::Make(const Config& config,
                                                    const Schedule& schedule) {
  if (auto ok = CheckConfig(config); !ok) return Fail(ok.error());
  constexpr int64_t kMostBytes = int64_t{8} << 30;
  const int64_t bytes = Window(config).bytes() * config.ranks();
  if (bytes > kMostBytes) {
    return Fail(fmt::format("the rings of {} ranks need {} bytes: expected at most {} on a CPU",
                            config.ranks(), bytes, kMostBytes));
  }
  return std::unique_ptr<Exchange>(new CpuExchange(config, schedule));
}

CpuExchange::CpuExchange(const Config& config, const Schedule& schedule)
    : config_(config),
      window_(config),
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

Status CpuExchange::Notify() {
  std::vector<std::vector<Task>> tasks(ranks_.size());
  for (size_t r = 0; r < ranks_.size(); ++r) {
    CpuFabric fabric(window_, config_, windows_, static_cast<int>(r));
    for (int c = 0; c < config_.channels(); ++c) {
      for (int n = 0; n < config_.nodes; ++n) LayOut(ranks_[r], fabric, c, n);
    }
    tasks[r].push_back(MakeTask<exchange::Notify<CpuFabric>>(fabric, ranks_[r]));
  }
  return RunTasks(std::move(tasks), schedule_);
}

template <Direction direction>
Status CpuExchange::Run() {
  std::vector<std::vector<Task>> tasks(ranks_.size());
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const CpuFabric fabric(window_, config_, windows_, static_cast<int>(r));
    for (int block = 0; block < config_.sms; ++block) {
      const int sm = block % 2;
      const int warps = config_.per_pair * WarpsOfChannel(config_, direction, sm);
      for (int warp = 0; warp < warps; ++warp) {
        const Role role = RoleOf(config_, direction, block / 2, sm, warp);
        const auto add = [&](auto type, int peer) {
          using R = typename decltype(type)::type;
          tasks[r].push_back(MakeTask<R>(fabric, ranks_[r], role.channel, peer));
        };
        WithRole<CpuFabric, direction>(config_, ranks_[r].node, role, add);
      }
    }
  }
  return RunTasks(std::move(tasks), schedule_);
}

Result<std::vector<DispatchOutput>> CpuExchange::Send(const std::vector<DispatchInput>& inputs,
                                                      bool with_experts) {
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
  if (auto ok = Run<Direction::kDispatch>(); !ok) return Fail(ok.error());
  auto outputs = received_;
  if (with_experts) return outputs;
  for (DispatchOutput& output : outputs) {
    output.experts.clear();
    output.weights.clear();
  }
  return outputs;
}

Result<std::vector<DispatchOutput>> CpuExchange::Dispatch(
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

Result<std::vector<DispatchOutput>> CpuExchange::DispatchAgain(
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

Result<std::vector<CombineOutput>> CpuExchange::Combine(const std::vector<CombineInput>& inputs,
                                                        bool weights) {
  if (!planned_) return Fail("a combine: expected a dispatch before it");
  sums_.clear();
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const int64_t rows = ranks_[r].plan.totals[0];
    if (r >= inputs.size() ||
        inputs[r].values.size() != static_cast<size_t>(rows * 2 * config_.hidden)) {
      return Fail(fmt::format("rank {}: values: expected {} rows of BF16", r, rows));
    }
    if (inputs[r].weights.size() != static_cast<size_t>(weights ? rows * config_.selected : 0)) {
      return Fail(fmt::format("rank {}: weights: expected {} a row with weights, else none", r,
                              config_.selected));
    }
    sums_.push_back(PoisonedCombine(config_, ranks_[r].tokens, weights));
  }
  results_ = inputs;
  for (size_t r = 0; r < ranks_.size(); ++r) SetCombine(results_[r], weights, sums_[r], &ranks_[r]);
  if (auto ok = Run<Direction::kCombine>(); !ok) return Fail(ok.error());
  return sums_;
}

Result<std::vector<double>> CpuExchange::Seconds(Part part, int runs) {
  if (!planned_) return Fail("a part again: expected it once before");
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const Status ok = part == Part::kNotify     ? Notify()
                      : part == Part::kDispatch ? Run<Direction::kDispatch>()
                                                : Run<Direction::kCombine>();
    if (!ok) return Fail(ok.error());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    seconds.push_back(took.count());
  }
  return seconds;
}

}  // namespace pipescope::kernels::exchange
