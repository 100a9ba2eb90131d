#include "schedules/lowered_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "schedules/flow.h"
#include "schedules/lowered_csv.h"
#include "schedules/lowered_flow.h"
#include "schedules/lowered_run.h"
#include "schedules/lowered_shards.h"

namespace pipescope::schedules {
namespace {

constexpr size_t kMostShown = 16;  // ranks of a circle

std::string Name(const LoweredSchedule& lowered, const LoweredFlow& flow, int32_t id) {
  return ToToken(ActionAt(lowered, flow, id));
}

// For every two ranks that exchange messages, the first that stands differently on the two sides.
void CheckStreams(const LoweredSchedule& lowered, const LoweredFlow& flow,
                  std::vector<Finding>& findings) {
  // (lower rank, higher rank) -> the messages in the lower rank's order, by their ids there.
  std::map<std::pair<int32_t, int32_t>, std::vector<int32_t>> streams;
  std::map<std::pair<int32_t, int32_t>, size_t> at;
  for (size_t i = 0; i < flow.partner.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    const int32_t partner = flow.partner[i];
    if (partner < 0) continue;
    const int32_t rank = flow.RankOf(id), peer = flow.RankOf(partner);
    if (rank < peer) {
      streams[{rank, peer}].push_back(id);
      continue;
    }
    // Ids grow with ranks, so the lower rank's side is complete.
    const auto& stream = streams[{peer, rank}];
    size_t& n = at[{peer, rank}];
    if (n >= stream.size()) continue;  // has differed already
    if (stream[n] == partner) {
      ++n;
      continue;
    }
    if (findings.size() < kMostFindings) {
      findings.push_back(
          {FindingKind::kOrder, peer, flow.PositionOf(stream[n]),
           fmt::format("message {} between ranks {} and {} is {} on rank {} (action {}) but {} on "
                       "rank {} (action {}); both sides must have the same order",
                       n, peer, rank, Name(lowered, flow, stream[n]), peer,
                       flow.PositionOf(stream[n]), Name(lowered, flow, id), rank,
                       flow.PositionOf(id))});
    }
    n = stream.size();
  }
}

// Every rank that stands waits for exactly one other, so each is on at most one circle, and the
// circles are found by following who waits for whom.
std::vector<int32_t> ShortestCircle(const LoweredFlow& flow, const std::vector<int32_t>& stopped) {
  const auto next = [&](int32_t rank) {
    const int32_t id = stopped[static_cast<size_t>(rank)];
    return id == flow.offset[static_cast<size_t>(rank) + 1]
               ? -1
               : flow.RankOf(flow.partner[static_cast<size_t>(id)]);
  };
  std::vector<int32_t> best, seen(stopped.size(), -1);
  for (int32_t start = 0; start < static_cast<int32_t>(stopped.size()); ++start) {
    int32_t rank = start;
    while (rank >= 0 && seen[static_cast<size_t>(rank)] < 0) {
      seen[static_cast<size_t>(rank)] = start;
      rank = next(rank);
    }
    if (rank < 0 || seen[static_cast<size_t>(rank)] != start) continue;
    std::vector<int32_t> circle = {rank};
    for (int32_t r = next(rank); r != rank; r = next(r)) circle.push_back(r);
    std::rotate(circle.begin(), std::min_element(circle.begin(), circle.end()), circle.end());
    if (best.empty() || circle.size() < best.size()) best = std::move(circle);
  }
  return best;
}

std::string Explain(const LoweredSchedule& lowered, const LoweredFlow& flow,
                    const std::vector<int32_t>& stopped, bool ends_unblocked) {
  const std::vector<int32_t> circle = ShortestCircle(flow, stopped);
  int64_t done = 0;
  for (size_t r = 0; r < stopped.size(); ++r) done += stopped[r] - flow.offset[r];
  std::string text = fmt::format(
      "{} ranks wait for each other, after {} of {} actions, where a SEND waits for its RECV",
      circle.size(), done, flow.rank_of.size());
  for (size_t i = 0; i < std::min(circle.size(), kMostShown); ++i) {
    const int32_t id = stopped[static_cast<size_t>(circle[i])];
    const int32_t partner = flow.partner[static_cast<size_t>(id)];
    text += fmt::format(
        "\n  rank {} stands before {} (action {}), which needs {} of rank {} (action {})",
        circle[i], Name(lowered, flow, id), flow.PositionOf(id), Name(lowered, flow, partner),
        flow.RankOf(partner), flow.PositionOf(partner));
  }
  if (circle.size() > kMostShown) {
    text += fmt::format("\n  ... and so on through {} more ranks", circle.size() - kMostShown);
  }
  text +=
      "\nto break the circle, one of these ranks must run the needed action before the one it "
      "stands before\n";
  return text + (ends_unblocked ? "the order ends if SENDs do not wait for their RECVs"
                                : "the order does not end even if SENDs do not wait for their "
                                  "RECVs");
}

}  // namespace

LoweredVerdict CheckLowered(const LoweredSchedule& lowered) {
  LoweredVerdict verdict;
  const LoweredFlow flow = BuildLoweredFlow(lowered, verdict.findings);
  if (!flow.legal) return verdict;
  verdict.steps = UnitSteps(lowered, flow);
  CheckShards(lowered, verdict.findings);
  CheckStreams(lowered, flow, verdict.findings);
  const std::vector<int32_t> stopped = RunBlocking(flow);
  if (!std::equal(stopped.begin(), stopped.end(), flow.offset.begin() + 1)) {
    if (verdict.findings.size() >= kMostFindings) verdict.findings.pop_back();
    verdict.findings.push_back({FindingKind::kDeadlock, -1, -1,
                                Explain(lowered, flow, stopped, verdict.steps.has_value())});
  }
  return verdict;
}

}  // namespace pipescope::schedules
