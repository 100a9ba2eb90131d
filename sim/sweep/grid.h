// The points of a sweep: every combination of its axes, the last of which varies fastest.
//
//   --grid communication.sms=8,20            an axis of two points
//   --list parallel.pipeline=8,16;parallel.data=256,128
//                                            an axis along which several fields change together
//   --list plans.csv                         the same from a file: paths, then a row a point
//
// Commas inside brackets and quotes belong to a value: layouts=["Et*4|(t*4|)*14tmL"],[] are two.
// Example: axes of 3 and of 2 points make points 0 to 5; point 3 is (1, 1).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::sweep {

inline constexpr int64_t kMostPoints = 1000000;

struct Axis {
  std::vector<std::string> paths;
  std::vector<std::vector<std::string>> rows;  // [point on the axis][path]
};

Result<Axis> ParseGrid(const std::string& text);
Result<Axis> ParseList(const std::string& text);
// `ParseList`, or the file where `text` ends in ".csv".
Result<Axis> ReadList(const std::string& text);

using Override = std::pair<std::string, std::string>;  // path, value

class Grid {
 public:
  // Fails where two axes set the same field, one a part of what another one sets, or the points are
  // more than kMostPoints.
  static Result<Grid> Make(std::vector<Axis> axes);

  const std::vector<Axis>& axes() const { return axes_; }
  int64_t size() const { return size_; }
  // What point `index` sets, axis by axis.
  std::vector<Override> At(int64_t index) const;

 private:
  std::vector<Axis> axes_;
  int64_t size_ = 1;
};

}  // namespace pipescope::sweep
