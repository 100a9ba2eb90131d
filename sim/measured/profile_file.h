// A measured profile as a file, schema "pipescope-profile/1", written and read here and nowhere
// else:
//
//   {"schema": "pipescope-profile/1",
//    "device": "NVIDIA H800", "sms": 132,
//    "machine": {"rank": "0 of 64"},
//    "operations": [
//      {"kind": "gemm", "pass": "forward", "dtype": "fp8",
//       "shape": {"groups": 1, "m": 4096, "n": 7168, "k": 16384}, "sms": 112, "count": 4,
//       "mean_s": 0.000895, "min_s": 0.000878, "max_s": 0.000935, "std_s": 2.3e-05,
//       "name": "o_proj", "source": "train.json"}]}
//
// `pass` is left out where the kind has none, `machine`, `name` and `source` where they are empty.
// Times are seconds, kept to the picosecond. The reader is strict: unknown or missing fields, a
// shape whose names are not the kind's, min_s <= mean_s <= max_s broken, or an operation given
// twice are errors with their place:
//
//   p.json:7:12: operations[2].shape.m: is missing
#pragma once

#include <string>

#include "sim/base/result.h"
#include "sim/measured/profile.h"

namespace pipescope::measured {

Result<Profile> ReadProfile(const std::string& path);

// The file's text: one operation a line, so that versions can be compared.
std::string ProfileJson(const Profile& profile);

}  // namespace pipescope::measured
