#include "kernels/exchange/cpu_group.h"

#include <thread>

#include "kernels/exchange/cpu_warps.h"
#include "kernels/exchange/notify.h"
#include "kernels/turns.h"

namespace pipescope::kernels::exchange {
namespace {

constexpr const char* kCancelled = "the exchange was given up: another rank has failed";

int NumberOf(const Rank& rank) { return rank.config.RankOf(rank.node, rank.local); }

}  // namespace

Result<std::unique_ptr<CpuGroup>> CpuGroup::Make(const Config& config) {
  if (auto ok = CheckConfig(config); !ok) return Fail(ok.error());
  return std::unique_ptr<CpuGroup>(new CpuGroup(config));
}

CpuGroup::CpuGroup(const Config& config)
    : config_(config), window_(config_), memory_(static_cast<size_t>(config.ranks())) {
  for (auto& window : memory_) {
    window.resize(static_cast<size_t>(window_.bytes()));
    windows_.push_back(window.data());
  }
}

void CpuGroup::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  met_.notify_all();
  TellTurns();
}

Status CpuGroup::Meet() {
  std::unique_lock lock(mutex_);
  const uint64_t meeting = meeting_;
  if (++there_ == config_.ranks()) {
    there_ = 0;
    ++meeting_;
    lock.unlock();
    met_.notify_all();
    TellTurns();
    return cancelled_ ? Fail(kCancelled) : Status();
  }
  const auto met = [&] { return cancelled_ || meeting_ != meeting; };
  if (!WaitInTurn(lock, met)) met_.wait(lock, met);
  if (cancelled_) return Fail(kCancelled);
  return {};
}

Status CpuGroup::RunAll(std::vector<Task> tasks) {
  while (!tasks.empty()) {
    if (Round(tasks)) continue;
    if (cancelled_) return Fail(kCancelled);
    if (!OfferTurn()) std::this_thread::yield();
  }
  return {};
}

template <Direction way>
Status CpuGroup::Move(const Rank& rank) {
  const CpuFabric memory(window_, config_, windows_, NumberOf(rank));
  std::vector<Task> tasks;
  for (int block = 0; block < config_.sms; ++block) {
    const int warps = config_.per_pair * WarpsOfChannel(config_, way, block % 2);
    for (int warp = 0; warp < warps; ++warp) {
      const Role role = RoleOf(config_, way, block / 2, block % 2, warp);
      WithRole<CpuFabric, way>(config_, rank.node, role, [&](auto type, int peer) {
        using R = typename decltype(type)::type;
        tasks.push_back(CpuWarps::Make<R>(memory, rank, role.channel, peer));
      });
    }
  }
  return RunAll(std::move(tasks));
}

Result<DispatchOutput> CpuGroup::Send(const DispatchInput& input, bool with_experts,
                                      Handle& handle) {
  Rank& rank = handle.rank;
  DispatchOutput output = PoisonedDispatch(config_, rank.plan.totals[0]);
  output.expert_rows.assign(rank.plan.expert_rows,
                            rank.plan.expert_rows + config_.experts_of_rank());
  SetDispatch(input, with_experts, output, &rank);
  if (auto ok = Move<Direction::kDispatch>(rank); !ok) return Fail(ok.error());
  return output;
}

Result<DispatchOutput> CpuGroup::Dispatch(int number, const DispatchInput& input, Handle& handle) {
  if (auto ok = CheckInput(config_, input, static_cast<size_t>(number), true); !ok) {
    return Fail(ok.error());
  }
  Rank& rank = handle.rank;
  handle.plan.resize(static_cast<size_t>(MakePlan(config_, nullptr, &rank.plan)));
  MakePlan(config_, handle.plan.data(), &rank.plan);
  rank.config = config_;
  rank.node = config_.NodeOf(number);
  rank.local = config_.LocalOf(number);
  rank.tokens = input.tokens;
  rank.in.experts = input.experts.data();
  if (auto ok = Meet(); !ok) return Fail(ok.error());
  const CpuFabric memory(window_, config_, windows_, number);
  std::vector<Task> layout;
  for (int c = 0; c < config_.channels(); ++c) {
    for (int n = 0; n < config_.nodes; ++n) {
      layout.push_back(CpuWarps::Make<LayOutOnce<CpuFabric>>(memory, rank, c, n));
    }
  }
  if (auto ok = RunAll(std::move(layout)); !ok) return Fail(ok.error());
  std::vector<Task> notify;
  notify.push_back(CpuWarps::Make<Notify<CpuFabric>>(memory, rank));
  if (auto ok = RunAll(std::move(notify)); !ok) return Fail(ok.error());
  return Send(input, true, handle);
}

Result<DispatchOutput> CpuGroup::DispatchAgain(const DispatchInput& input, Handle& handle) {
  const auto ok = CheckInput(config_, input, static_cast<size_t>(NumberOf(handle.rank)), false);
  if (!ok) return Fail(ok.error());
  if (auto met = Meet(); !met) return Fail(met.error());
  return Send(input, false, handle);
}

Result<CombineOutput> CpuGroup::Combine(const CombineInput& input, bool weights, Handle& handle) {
  Rank& rank = handle.rank;
  const auto ok = CheckResults(config_, input, weights, rank.plan.totals[0],
                               static_cast<size_t>(NumberOf(rank)));
  if (!ok) return Fail(ok.error());
  if (auto met = Meet(); !met) return Fail(met.error());
  CombineOutput output = PoisonedCombine(config_, rank.tokens, weights);
  SetCombine(input, weights, output, &rank);
  if (auto done = Move<Direction::kCombine>(rank); !done) {
    return Fail(done.error());
  }
  return output;
}

}  // namespace pipescope::kernels::exchange
