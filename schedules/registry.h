// Every schedule family by name, and schedules made from them.
//
//   auto schedule = Generate("dualpipe", {.ranks = 8, .microbatches = 20});
//   if (!schedule) return Fail(schedule.error());
//     "--microbatches 6: dualpipe needs at least twice the ranks: 16 for 8 ranks"
#pragma once

#include <string>
#include <vector>

#include "schedules/family.h"

namespace pipescope::schedules {

// In the order of the listing.
const std::vector<Family>& Families();

// By name or alias; fails with a suggestion.
Result<const Family*> FindFamily(const std::string& name);

// What was asked for and is deliberately not here, with the reason: for the listing and for errors.
struct OutOfScope {
  std::string name, reason;
};
const std::vector<OutOfScope>& FamiliesOutOfScope();

// With the family's own chunks, slices and variant where none is given.
Options WithDefaults(const Family& family, Options options);

// The closed form's value where it is exact, else nothing.
std::optional<double> ExactBubble(const Family& family, const Options& options, const Costs& costs);

// Linear in the number of actions, but for the automatic families, which try a list of orders. The
// schedule passes Check.
Result<Schedule> Generate(const Family& family, const Options& options);
Result<Schedule> Generate(const std::string& name, const Options& options);

}  // namespace pipescope::schedules
