// Did-you-mean: the known name that is nearest to what was written.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pipescope {

// The name of `known` with the least edit distance to `name`, if at most a third of its letters
// (and at least one) would have to change; else "".
std::string NearestName(std::string_view name, std::span<const std::string> known);

// "; did you mean 'x'?" or, where nothing is near, "; known: a, b, c" (at most 24 names).
std::string Suggestion(std::string_view name, std::span<const std::string> known);

}  // namespace pipescope
