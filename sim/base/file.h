// Whole files in and out, with bounded memory and nothing half-written.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"

namespace pipescope {

inline constexpr int64_t kMaxInputBytes = 64 << 20;

// The file's bytes. Fails where it cannot be read, is not a regular file or pipe, or holds more
// than `max_bytes`.
Result<std::string> ReadFile(const std::string& path, int64_t max_bytes = kMaxInputBytes);

// Writes a neighbour of `path` and renames it over, so that `path` holds its old bytes or all of
// the new ones; a link is followed, permissions stay. Fails, leaving `path` alone, where that
// cannot be done or `path` is read-only.
Status WriteFileAtomically(const std::string& path, const std::string& bytes);

}  // namespace pipescope
