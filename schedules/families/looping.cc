#include "schedules/families/looping.h"

#include <fmt/format.h>

#include <algorithm>

namespace pipescope::schedules {
namespace {

Looping Grouped(const Options& options, int64_t group) {
  return {.ranks = static_cast<int>(options.ranks),
          .chunks = static_cast<int>(*options.chunks),
          .group = static_cast<int>(group),
          .microbatches = static_cast<int>(options.microbatches)};
}

}  // namespace

Result<Looping> LoopingByRanks(const std::string& name, const Options& options) {
  if (options.microbatches % options.ranks != 0) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("{} needs a multiple of the {} ranks", name, options.ranks));
  }
  return Grouped(options, options.ranks);
}

Result<Looping> LoopingByRounds(const std::string& name, const Options& options) {
  const int64_t rounds = std::max<int64_t>(1, options.microbatches / options.ranks);
  if (options.microbatches % rounds != 0) {
    return BadOption(
        "--microbatches", options.microbatches,
        fmt::format("{} runs {} rounds of at least {} micro-batches (one a rank) and "
                    "needs a multiple of the rounds, such as {}",
                    name, rounds, options.ranks, options.microbatches / rounds * rounds));
  }
  return Grouped(options, options.microbatches / rounds);
}

}  // namespace pipescope::schedules
