// Which shapes of an operation a calibration measures, and which it does not, so that a prediction
// from the ones can be held against the others.
//
//   calibrated  the operation's own shapes; and of the first one of each group (the shapes that are
//               equal but for the operation's sizes) one more for each size, made smaller: the
//               first size to a quarter, the second to a third, the third to a fifth. So two
//               numbers of bytes are never the same
//   held out    of each group, from the name and a seed: each size alone between its least and its
//               largest calibrated value, all sizes between them, and one size 1.2 to 1.6 times
//               beyond the largest. The other sizes are those of one of the operation's own shapes
//
// Numbers are multiples of the size's step, drawn evenly on a logarithmic scale, and no held-out
// shape is a calibrated one. A size without any number between has no shape between.
//
// Example: {rows 64, columns 7168} in steps of 1 and 64 is calibrated at {64, 7168}, {16, 7168} and
// {64, 2368}; held out are such as {37, 7168}, {64, 4032}, {23, 3008} and {64, 9984}.
#pragma once

#include <string>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

std::vector<Shape> CalibratedShapes(const Op& op);

struct HeldOut {
  Shape shape;
  std::string how;  // "between rows", "between all", "beyond columns"
};
// None of an operation without sizes.
std::vector<HeldOut> HeldOutShapes(const Op& op, uint64_t seed);

// SMs that communication has beside a kernel: calibrated, and held out between them.
std::vector<int> CalibratedSms();
std::vector<int> HeldOutSms(uint64_t seed);

}  // namespace pipescope::kernels::bench
