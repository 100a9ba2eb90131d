#include "schedules/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "schedules/deadlock.h"
#include "schedules/flow.h"
#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

// For every micro-batch the rank of each of its stages; the schedule is legal.
std::vector<std::vector<int32_t>> Routes(const Schedule& schedule) {
  std::vector<std::vector<int32_t>> routes(
      static_cast<size_t>(schedule.microbatches),
      std::vector<int32_t>(static_cast<size_t>(schedule.stages), -1));
  for (size_t rank = 0; rank < schedule.actions.size(); ++rank) {
    for (const Action& action : schedule.actions[rank]) {
      if (!HasForward(action)) continue;
      routes[action.microbatch.index()][action.stage.index()] = static_cast<int32_t>(rank);
    }
  }
  return routes;
}

// Two different routes must not share a rank at any stage. Equal ones are looked at once, and there
// are few different ones: one, or one a direction.
void CheckRoutes(const Schedule& schedule, std::vector<Finding>& findings) {
  const auto routes = Routes(schedule);
  std::map<std::vector<int32_t>, int32_t> different;     // to their first micro-batch
  std::map<std::pair<int32_t, int32_t>, int32_t> first;  // (stage, rank) -> micro-batch
  for (int32_t m = 0; m < schedule.microbatches; ++m) {
    const auto& route = routes[static_cast<size_t>(m)];
    if (!different.try_emplace(route, m).second) continue;
    for (int32_t s = 0; s < schedule.stages; ++s) {
      const int32_t rank = route[static_cast<size_t>(s)];
      const int32_t other = first.try_emplace({s, rank}, m).first->second;
      if (other == m) continue;
      const auto& known = routes[static_cast<size_t>(other)];
      size_t at = 0;
      while (known[at] == route[at]) ++at;
      findings.push_back(
          {FindingKind::kPlacement, route[at], -1,
           fmt::format("stage {} is on rank {} for micro-batch {} but on rank {} for micro-batch "
                       "{}, though both have stage {} on rank {}; copies of a pipeline must not "
                       "share a stage's rank",
                       at, known[at], other, route[at], m, s, rank)});
      break;  // one finding a route says enough
    }
    if (findings.size() >= kMostFindings) return;
  }
}

void CheckCounts(const Schedule& schedule, std::vector<Finding>& findings) {
  if (schedule.ranks != static_cast<int>(schedule.actions.size())) {
    findings.push_back({FindingKind::kIncomplete, -1, -1,
                        fmt::format("{} ranks are said, but {} have a list of actions",
                                    schedule.ranks, schedule.actions.size())});
  }
  for (size_t rank = 0; rank < schedule.actions.size(); ++rank) {
    if (!schedule.actions[rank].empty() || findings.size() >= kMostFindings) continue;
    findings.push_back({FindingKind::kIncomplete, static_cast<int32_t>(rank), -1,
                        fmt::format("rank {} has no actions", rank)});
  }
}

}  // namespace

const char* NameOf(FindingKind kind) {
  switch (kind) {
    case FindingKind::kIncomplete:
      return "incomplete";
    case FindingKind::kDuplicate:
      return "duplicate";
    case FindingKind::kOrder:
      return "order";
    case FindingKind::kPlacement:
      return "placement";
    case FindingKind::kDeadlock:
      return "deadlock";
    case FindingKind::kMemory:
      return "memory";
  }
  return "";
}

std::string ToString(const Finding& finding) {
  return fmt::format("{}: {}", NameOf(finding.kind), finding.message);
}

std::string InOneLine(const Finding& finding) {
  std::string text = ToString(finding);
  for (size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    text.replace(at, std::min(text.find_first_not_of(" \n", at), text.size()) - at, "; ");
  }
  return text;
}

std::vector<Finding> Check(const Schedule& schedule) {
  std::vector<Finding> findings;
  CheckCounts(schedule, findings);
  const Flow flow = BuildFlow(schedule, &findings);
  if (!flow.legal) return findings;
  CheckRoutes(schedule, findings);
  if (findings.empty() && !flow.complete) {
    findings.push_back({FindingKind::kDeadlock, -1, -1, ExplainDeadlock(schedule, flow)});
  }
  return findings;
}

std::vector<Finding> CheckMemory(const Schedule& schedule, int64_t limit) {
  std::vector<Finding> findings;
  for (size_t rank = 0; rank < schedule.actions.size(); ++rank) {
    int64_t held = 0;
    for (size_t i = 0; i < schedule.actions[rank].size(); ++i) {
      const Action& action = schedule.actions[rank][i];
      if (HasForward(action) && ++held > limit) {
        findings.push_back({FindingKind::kMemory, static_cast<int32_t>(rank),
                            static_cast<int32_t>(i),
                            fmt::format("rank {} holds {} activations of one chunk from {} (action "
                                        "{}) on; the limit is {}",
                                        rank, held, ToToken(action), i, limit)});
        break;
      }
      if (EndsBackward(action)) --held;
    }
    if (findings.size() >= kMostFindings) break;
  }
  return findings;
}

}  // namespace pipescope::schedules
