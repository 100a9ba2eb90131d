// The version of a profile's file, for its reader and its writer.
#pragma once

namespace pipescope::measured {

inline constexpr const char* kSchema = "pipescope-profile/1";

}  // namespace pipescope::measured
