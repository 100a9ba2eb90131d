// The version that every output names.
#pragma once

namespace pipescope::cli {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace pipescope::cli
