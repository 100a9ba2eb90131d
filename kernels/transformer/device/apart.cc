#include "kernels/transformer/device/apart.h"

#include <fmt/format.h>

#include "schedules/token.h"

namespace pipescope::transformer::device {
namespace {

std::string NameOf(const HandoverName& name) {
  const auto& [stage, microbatch, gradient] = name;
  return fmt::format("{} {} {}", gradient ? "gradient" : "activation", stage, microbatch);
}

std::string NameOf(const std::string& parameter, int64_t step) {
  return fmt::format("{} {}", parameter, step);
}

}  // namespace

Whereabouts::Whereabouts(const schedules::Schedule& schedule) {
  for (int rank = 0; rank < schedule.ranks; ++rank) {
    for (const schedules::Action& action : schedule.actions[static_cast<size_t>(rank)]) {
      if (!schedules::HasForward(action)) continue;
      ranks_[{action.stage.value(), action.microbatch.value()}] = rank;
    }
  }
}

std::set<LinkName> Whereabouts::Links() const {
  std::set<LinkName> links;
  for (const auto& [what, rank] : ranks_) {
    const auto next = ranks_.find({what.first + 1, what.second});
    if (next == ranks_.end() || next->second == rank) continue;
    links.merge(LinksAmong({rank, next->second}, LinkLane::kCompute));
  }
  return links;
}

std::set<LinkName> LinksAmong(const std::vector<int>& ranks, LinkLane lane) {
  std::set<LinkName> links;
  for (const int from : ranks) {
    for (const int to : ranks) {
      if (from != to) links.insert({from, to, lane});
    }
  }
  return links;
}

Apart::Apart(Training& training, const schedules::Schedule& schedule, executor::Crew& crew,
             device::Links& links, Memory& memory)
    : t_(training),
      whereabouts_(schedule),
      links_(links),
      rank_(crew.post()->rank()),
      parcels_(*crew.post(), links, LinkLane::kCompute, memory) {}

Status Apart::Connect(executor::Crew& crew) {
  if (Status ok = t_.copies.Connect(crew); !ok) return ok;
  std::set<LinkName> links = whereabouts_.Links();
  for (const auto& [name, copies] : copies_) {
    const auto& holders = t_.copies.HoldersOf(name);
    std::vector<int> ranks;
    for (size_t r = 0; r < holders.size(); ++r) {
      if (holders[r] > 0) ranks.push_back(static_cast<int>(r));
    }
    links.merge(LinksAmong(ranks, LinkLane::kCompute));
  }
  return links_.Connect(links);
}

Status Apart::Leave(const HandoverName& name, Travelling what) {
  const int to = whereabouts_.RankOf(std::get<0>(name), std::get<1>(name));
  if (to == rank_) {
    own_[name] = std::move(what);
    return {};
  }
  const int64_t bytes = 2 * what.rows * t_.model.hidden;
  return parcels_.Send(to, NameOf(name), what.block, bytes, what.ready);
}

int Apart::RankThatGives(const HandoverName& name) const {
  const auto& [stage, microbatch, gradient] = name;
  return whereabouts_.RankOf(gradient ? stage + 1 : stage - 1, microbatch);
}

Result<Travelling> Apart::Take(const HandoverName& name) {
  const int from = RankThatGives(name);
  if (from == rank_) {
    auto node = own_.extract(name);
    PIPESCOPE_CHECK(!node.empty());
    return std::move(node.mapped());
  }
  auto parcel = parcels_.Take(from, NameOf(name));
  if (!parcel) return Fail(parcel.error());
  return Travelling{std::move(parcel->block), std::move(parcel->ready),
                    parcel->bytes / (2 * t_.model.hidden)};
}

size_t Apart::Join(const std::string& parameter) {
  t_.copies.Register(parameter);
  return copies_[parameter]++;
}

Status Apart::GiveSum(const std::string& parameter, int64_t step, size_t, GivenSum sum) {
  const auto& holders = t_.copies.HoldersOf(parameter);
  for (size_t r = 0; r < holders.size(); ++r) {
    const int to = static_cast<int>(r);
    if (to == rank_ || holders[r] == 0) continue;
    const Status sent =
        parcels_.Send(to, NameOf(parameter, step), sum.sum, 8 * sum.count, sum.ready);
    if (!sent) return sent;
  }
  sums_[{parameter, step}].sums.push_back(std::move(sum));
  return {};
}

Result<std::vector<GivenSum>> Apart::TakeSums(const std::string& parameter, int64_t step) {
  Sums& given = sums_[{parameter, step}];
  if (!given.has_others) {
    if (Status taken = TakeOthers(parameter, step, given.sums); !taken) return Fail(taken.error());
    given.has_others = true;
  }
  std::vector<GivenSum> sums = given.sums;
  if (++given.taken == copies_.at(parameter)) sums_.erase({parameter, step});
  return sums;
}

Status Apart::TakeOthers(const std::string& parameter, int64_t step, std::vector<GivenSum>& sums) {
  const auto& holders = t_.copies.HoldersOf(parameter);
  for (size_t r = 0; r < holders.size(); ++r) {
    if (static_cast<int>(r) == rank_) continue;
    for (int copy = 0; copy < holders[r]; ++copy) {
      auto parcel = parcels_.Take(static_cast<int>(r), NameOf(parameter, step));
      if (!parcel) return Fail(parcel.error());
      sums.push_back({std::move(parcel->block), std::move(parcel->ready), parcel->bytes / 8});
    }
  }
  return {};
}

}  // namespace pipescope::transformer::device
