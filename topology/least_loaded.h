// Adaptive routing: a flow takes the least loaded of its equally short ways when it starts, and
// keeps it.
//
//   fullness of a way = max over its links of load / capacity,
//   load of a link    = sum over the flows that cross it of the rate that each asks for
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
  explicit LeastLoaded(const Router& router);

  // The links of the way to take now; valid until the next call.
  const std::vector<LinkId>& Choose(int gpu_a, int gpu_b);
  // A flow that asks for `rate`, in whole bytes/s, starts to cross these links; negative: ends.
  // Links beyond the router's are nobody's.
  void Load(std::span<const LinkId> links, int64_t rate);

 private:
  struct Way {
    std::vector<LinkId> links;
    std::vector<LinkId> own;  // those that some other way does not use
  };
  std::vector<Way> WaysOf(int gpu_a, int gpu_b) const;
  double Fullness(const Way& way) const;

  const Router& router_;
  std::vector<double> capacity_;
  std::vector<int64_t> load_;  // whole numbers: what was taken up is let go of exactly
  std::unordered_map<int64_t, std::vector<Way>> ways_;
};

}  // namespace pipescope::topology
