// How large a schedule may be, whether generated or read: what does not fit is refused with an
// error instead of eating the machine's memory.
//
// An action takes 20 bytes, and some 60 more once it is evaluated and printed; the largest
// schedule therefore stays below 3 GB. DeepSeek-V3's 16 ranks x 120 micro-batches, for scale, are
// fewer than 12 thousand actions.
#pragma once

#include <cstdint>

namespace pipescope::schedules {

inline constexpr int64_t kMaxRanks = 65'536;
inline constexpr int64_t kMaxStages = 1 << 20;
inline constexpr int64_t kMaxMicrobatches = 1 << 24;
inline constexpr int64_t kMaxSlices = 1 << 16;
inline constexpr int64_t kMaxActions = 1 << 25;
inline constexpr int64_t kMaxCsvBytes = 16 * kMaxActions;

}  // namespace pipescope::schedules
