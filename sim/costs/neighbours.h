// A time guessed from measured neighbours: other sizes of the same operation.
//
// A model of the operation says what each would take. What it does not know is guessed from how far
// it was off at the neighbours,
//   time = trend(wanted) sum w_i seconds_i / trend(i) / sum w_i,   w_i = 1 / distance_i^2
// with one of two trends:
//   proportional   the model itself, for one that has all that does not grow with the size
//   affine         a + b model, for one that is bytes over a rate: a, what starting and ending a
//                  kernel takes, and b, what the rate was off by, fit the neighbours' times with
//                  the least sum of squared relative errors, neither below 0
// Where all neighbours are equally far off, or lie on one line, the guess is exact.
//
// Example: 1 MB in 5 us and 4 MB in 11 us are 3 us and 2 us a MB: 2 MB take 7 us, and 8 MB 19 us.
// In proportion to their distances of one factor of two they would be guessed at 7.75 us.
#pragma once

#include <span>

namespace pipescope::costs {

struct Neighbour {
  double distance = 0;  // from what is wanted
  double model = 0;     // seconds, or what grows like them; above 0
  double seconds = 0;   // measured
};

enum class Trend { kProportional, kAffine };

// Of one neighbour at least.
double GuessFrom(std::span<const Neighbour> neighbours, double model, Trend trend);

}  // namespace pipescope::costs
