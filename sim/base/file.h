// Whole files in and out, with bounded memory and nothing half-written.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope {

inline constexpr int64_t kMaxInputBytes = 64 << 20;

// The file's bytes. Fails where it cannot be read, is not a regular file or pipe, or holds more
// than `max_bytes`.
Result<std::string> ReadFile(const std::string& path, int64_t max_bytes = kMaxInputBytes);

// Several files, all or none: each is written whole beside its place, and only when all are there
// does Commit rename them into place. What was not committed is removed. Ctrl-C and SIGTERM wait
// while a batch lives, so that they leave nothing behind; kill -9 leaves nothing either where the
// file system has files without names (O_TMPFILE), but in the moment between naming and renaming.
class FileBatch {
 public:
  FileBatch();
  FileBatch(const FileBatch&) = delete;
  FileBatch& operator=(const FileBatch&) = delete;
  ~FileBatch();

  // Fails as WriteFileAtomically does, and where the batch holds that file already. A device or a
  // pipe cannot be taken back: it is written at once.
  Status Add(const std::string& path, const std::string& bytes);
  Status Commit();

 private:
  struct Staged {
    std::string path, target;
    std::string temporary;  // "" while it has no name
    int fd = -1;
  };
  static Staged OpenNeighbour(const std::string& target);

  sigset_t signals_;  // blocked before
  std::vector<Staged> staged_;
};

// Writes a neighbour of `path` and renames it over, so that `path` holds its old bytes or all of
// the new ones; a link is followed, permissions stay. Fails, leaving `path` alone, where that
// cannot be done or `path` is read-only.
Status WriteFileAtomically(const std::string& path, const std::string& bytes);

}  // namespace pipescope
