// Where a sweep's points are kept while it runs, and how workers' parts become one file.
//
// Without a file, lines stay in memory. With one, see sim/sweep/journal.h; when every point is
// there, the file is written sorted by point, and the parts go. Workers do not talk to each other:
// each looks, when its own share is done, whether all points are there. The last one finds them.
// Two that find them at once write the same bytes: the file is complete before the first part goes,
// and parts are read before the file, so whoever misses a part finds its points in the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/sweep/journal.h"

namespace pipescope::cli {

struct StorePlan {
  std::string file;      // "": none
  bool resume = false;   // keep what is there, and refuse what is not this sweep's
  std::string identity;  // of the sweep
  int64_t points = 0;
  sweep::Worker worker;
};

class SweepStore {
 public:
  explicit SweepStore(StorePlan plan) : plan_(std::move(plan)) {}

  Status Open();
  // What this worker has to do, in order.
  std::vector<int64_t> Pending() const;
  Status Append(int64_t point, const std::string& line);
  // After the last Append: all lines by point, the file and parts as above; or fewer lines where
  // points are missing, this worker's or others'.
  Result<sweep::Lines> Finish();

 private:
  Status ReadAll(sweep::Foreign foreign, sweep::Lines& lines) const;

  StorePlan plan_;
  sweep::Journal journal_;
  sweep::Lines lines_;
};

}  // namespace pipescope::cli
