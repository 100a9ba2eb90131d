#include "schedules/deadlock.h"

#include <fmt/format.h>

#include <array>

#include "schedules/token.h"

namespace pipescope::schedules {
namespace {

constexpr int kMostShown = 16;  // ranks of a circle

// The graph of standing ranks: an edge to every rank whose later action is waited for.
class Waiting {
 public:
  explicit Waiting(const Flow& flow)
      : flow_(flow), parent_(flow.stopped.size(), -1), seen_(flow.stopped.size(), -1) {}

  // The actions that `rank` waits for; -1 where it waits for fewer than two.
  std::array<int32_t, 2> Open(int32_t rank) const {
    const int32_t id = flow_.stopped[static_cast<size_t>(rank)];
    if (id == flow_.offset[static_cast<size_t>(rank) + 1]) return {-1, -1};
    const Needs& needs = flow_.needs[static_cast<size_t>(id)];
    return {StillOpen(needs.forward), StillOpen(needs.backward)};
  }

  // The ranks of a shortest circle, from its lowest rank on.
  std::vector<int32_t> ShortestCircle() {
    std::vector<int32_t> best;
    // On huge orders the search ends early: the circle shown may then not be the shortest.
    int64_t budget = 50'000'000;
    const auto ranks = static_cast<int32_t>(flow_.stopped.size());
    for (int32_t rank = 0; rank < ranks && (best.empty() || budget > 0); ++rank) {
      std::vector<int32_t> circle = CircleThrough(rank, best.size(), budget);
      if (!circle.empty()) best = std::move(circle);
      if (best.size() == 2) break;
    }
    return best;
  }

 private:
  int32_t StillOpen(int32_t id) const {
    if (id < 0 || id < flow_.stopped[static_cast<size_t>(flow_.RankOf(id))]) return -1;
    return id;
  }

  // Breadth first from `start` back to it; nothing if that takes `limit` ranks or more (0: none).
  std::vector<int32_t> CircleThrough(int32_t start, size_t limit, int64_t& budget) {
    std::vector<int32_t> level = {start}, following;
    for (size_t length = 1; !level.empty() && (limit == 0 || length < limit); ++length) {
      following.clear();
      for (const int32_t rank : level) {
        --budget;
        for (const int32_t id : Open(rank)) {
          if (id < 0) continue;
          const int32_t other = flow_.RankOf(id);
          if (other == start) return PathTo(start, rank);
          if (seen_[static_cast<size_t>(other)] == start) continue;
          seen_[static_cast<size_t>(other)] = start;
          parent_[static_cast<size_t>(other)] = rank;
          following.push_back(other);
        }
      }
      std::swap(level, following);
    }
    return {};
  }

  std::vector<int32_t> PathTo(int32_t start, int32_t rank) const {
    std::vector<int32_t> path;
    for (; rank != start; rank = parent_[static_cast<size_t>(rank)]) path.push_back(rank);
    path.push_back(start);
    return {path.rbegin(), path.rend()};
  }

  const Flow& flow_;
  std::vector<int32_t> parent_, seen_;  // by rank; seen_ holds the start that saw it last
};

std::string Name(const Schedule& schedule, const Flow& flow, int32_t id) {
  const auto rank = static_cast<size_t>(flow.RankOf(id));
  return ToToken(schedule.actions[rank][static_cast<size_t>(id - flow.offset[rank])]);
}

int32_t Position(const Flow& flow, int32_t id) {
  return id - flow.offset[static_cast<size_t>(flow.RankOf(id))];
}

}  // namespace

std::string ExplainDeadlock(const Schedule& schedule, const Flow& flow) {
  Waiting waiting(flow);
  const std::vector<int32_t> circle = waiting.ShortestCircle();
  int64_t done = 0;
  for (size_t r = 0; r < flow.stopped.size(); ++r) done += flow.stopped[r] - flow.offset[r];
  std::string text = fmt::format("{} ranks wait for each other, after {} of {} actions",
                                 circle.size(), done, flow.needs.size());
  for (size_t i = 0; i < circle.size(); ++i) {
    if (i == kMostShown) {
      text += fmt::format("\n  ... and so on through {} more ranks", circle.size() - i);
      break;
    }
    const int32_t next = circle[(i + 1) % circle.size()];
    const int32_t id = flow.stopped[static_cast<size_t>(circle[i])];
    for (const int32_t open : waiting.Open(circle[i])) {
      if (open < 0 || flow.RankOf(open) != next) continue;
      text += fmt::format(
          "\n  rank {} stands before {} (action {}), which needs {} of rank {} "
          "(action {})",
          circle[i], Name(schedule, flow, id), Position(flow, id), Name(schedule, flow, open), next,
          Position(flow, open));
      break;
    }
  }
  return text +
         "\nto break the circle, one of these ranks must run the needed action before the "
         "one it stands before";
}

}  // namespace pipescope::schedules
