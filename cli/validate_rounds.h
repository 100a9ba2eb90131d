// When validate has measured enough. A round calibrates all loads and runs a step of each schedule.
//
//   warms up   the first round and, with patience, those after it until one needs (almost) no new
//              memory: heaps grow for two or three, since blocks land in other places than the time
//              before, and new pages take time (up to 9 us each in a guest: 0.3 % at kNewPages)
//   counts     each one after these: so many that `repetitions` of them are of one speed (or twice
//              as many) and, with patience, further ones until all is known
//   of one speed   those of them whose calibrations took as long, within kSameSpeed, as those of
//              the densest half (the shortest interval that holds more than half of all): a
//              processor that shares its core with a neighbour's is a quarter slower while that one
//              works, and in which half of its steps a median falls would be chance, for the
//              prediction and for the run
//
// Example: repetitions 5, patience 30 s, new pages of 47000, 5400, 43, 57, ... a second: two rounds
// warm up; at least five count, and more until all is known or 30 s are over.
#pragma once

#include <cstddef>
#include <vector>

namespace pipescope::cli {

class ValidateRounds {
 public:
  static constexpr double kNewPages = 300;  // a second of processor time
  static constexpr int kMostWarmUps = 5;
  // However patient: all their times are kept.
  static constexpr int kMost = 1000;

  // `patience`: seconds, 0 for none.
  ValidateRounds(int repetitions, double patience)
      : repetitions_(repetitions), patience_(patience) {}

  enum class Next { kEnd, kAgain, kAgainFromHere };  // the last: all so far warmed up
  // After a round, `elapsed` seconds after the start of the first one; `of_one_speed`: how many of
  // those that count; `known`: whether all medians are known well enough.
  Next After(double new_pages, double elapsed, size_t of_one_speed, bool known);

 private:
  const int repetitions_;
  const double patience_;
  int rounds_ = 0, counted_ = 0;
};

// Places of rounds of one speed, in their order, at least one; `seconds`: what calibrations took in
// each. Of none: none.
inline constexpr double kSameSpeed = 0.03;
std::vector<size_t> OfOneSpeed(const std::vector<double>& seconds);

}  // namespace pipescope::cli
