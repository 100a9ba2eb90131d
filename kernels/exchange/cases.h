// Inputs for checks and benchmarks, drawn from a seed: the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/exchange/data.h"

namespace pipescope::kernels::exchange {

enum class Routing {
  kUniform,     // any experts, all different
  kGrouped,     // of at most four nodes, as DeepSeek-V3's gate
  kSparse,      // half of the choices go nowhere
  kOneRank,     // all choices of a token on one rank
  kOneExpert,   // all tokens to the last expert, once
  kEmptyRanks,  // nothing for ranks with an odd index, if there are others
  kNothing,     // no token goes anywhere
};
inline constexpr Routing kRoutings[] = {
    Routing::kUniform,   Routing::kGrouped,    Routing::kSparse, Routing::kOneRank,
    Routing::kOneExpert, Routing::kEmptyRanks, Routing::kNothing};
const char* NameOf(Routing routing);

// With `uneven`, ranks have any number of tokens up to the configuration's, every third one none.
std::vector<DispatchInput> DrawInputs(const Config& config, Routing routing, bool uneven,
                                      uint64_t seed);

// Rows for a combine: BF16 of all magnitudes, among them zeros of both signs, subnormals, and
// numbers that nearly cancel.
std::vector<CombineInput> DrawResults(const Config& config, const std::vector<int>& rows,
                                      bool weights, uint64_t seed);

}  // namespace pipescope::kernels::exchange
