// Adaptive routing: a flow takes the least loaded of its equally short ways when it starts, and
// keeps it.
//
//   fullness of a way = max over its links of load / capacity,
//   load of a link    = sum over the flows that cross it of the rate that each asks for
//
// With detours (topology/detour.cc) it weighs them against the shortest ways as UGAL does (Singh,
// 2005; Kim, Dally, Scott, Abts, ISCA 2008): the least hops * (load + what the flow asks for) /
// capacity, of all shortest ways and four others. So an idle fabric is crossed the shortest way,
// and one full where the shortest way goes is crossed by another once that is twice as empty.
//
// Links that all ways share (the NICs) do not count. Ties go to the way that static routing takes,
// then to the next by number, so that the same order of starts gives the same ways.
//
// Example: 4 flows under one leaf of 4 spines, one after the other: a spine each, whatever their
// destinations are.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "topology/route.h"

namespace pipescope::topology {

class LeastLoaded {
 public:
  // The router must outlive it.
  enum class Detours { kNo, kYes };
  explicit LeastLoaded(const Router& router, Detours detours = Detours::kNo);

  // The links of the way that a flow of `rate` bytes/s takes now; valid until the next call.
  const std::vector<LinkId>& Choose(int gpu_a, int gpu_b, int64_t rate);
  // A flow that asks for `rate`, in whole bytes/s, starts to cross these links; negative: ends.
  // Links beyond the router's are nobody's.
  void Load(std::span<const LinkId> links, int64_t rate);

 private:
  struct Way {
    std::vector<LinkId> links;
    std::vector<LinkId> own;  // those that some other way does not use
    double weight = 1;        // hops, where ways are of different lengths
  };
  std::vector<Way> WaysOf(int gpu_a, int gpu_b) const;
  double Fullness(const Way& way, int64_t rate) const;

  const Router& router_;
  bool detours_;
  std::vector<double> capacity_;
  std::vector<int64_t> load_;  // whole numbers: what was taken up is let go of exactly
  std::unordered_map<int64_t, std::vector<Way>> ways_;
};

}  // namespace pipescope::topology
