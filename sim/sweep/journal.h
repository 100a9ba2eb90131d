// The file of a sweep's points while it is being made: a line a point, in the order they finish.
//
// Kill -9 at any time loses no finished point and leaves none to be done twice: a line is one
// write() to a file opened with O_APPEND, so it is there, whole, in the kernel's hands as soon as
// the point is done; a line that a full disk or a dying machine cut short has no line break and is
// dropped by the next reader. Against power failure the file is synced once a second: that costs
// nothing beside a point's 20 ms, and what is lost then is a second of work, done again.
//
// One process writes a file: a second one is refused by a lock. Workers on several machines each
// have a part of their own, FILE.part-1-of-3, since neither O_APPEND nor flock() is sure on every
// network file system. When all points are there the file is written anew, sorted, in the way of
// WriteFileAtomically (cli/sweep_store.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/sweep/workers.h"

namespace pipescope::sweep {

// Where `worker` appends: the file itself where it is alone.
std::string PartPath(const std::string& file, const Worker& worker);

// The parts that lie beside `file`, sorted.
std::vector<std::string> PartsOf(const std::string& file);

// Lines by the index of their point.
using Lines = std::map<int64_t, std::string>;

// Whether lines of another sweep are left out or are an error.
enum class Foreign { kSkip, kRefuse };

// Adds the lines of `path` that belong to the sweep `identity` of `points` points. A torn last line
// is left out; a missing file has none.
Status ReadLines(const std::string& path, const std::string& identity, int64_t points,
                 Foreign foreign, Lines& lines);

class Journal {
 public:
  Journal() = default;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  // Opens to append behind the last whole line, or, without `keep`, an empty file.
  Status Open(const std::string& path, bool keep);
  // One whole line; `line` has no line break. Not to be called by two threads at once.
  Status Append(const std::string& line);
  Status Close();  // nothing where none was opened

 private:
  Status Broken(const std::string& what) const;

  std::string path_;
  int file_ = -1;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace pipescope::sweep
