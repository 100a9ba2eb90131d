#include "schedules/family.h"

#include <fmt/format.h>

namespace pipescope::schedules {

tl::unexpected<Error> BadOption(const std::string& name, int64_t value,
                                const std::string& expected) {
  return Fail(fmt::format("{} {}: {}", name, value, expected));
}

Schedule EmptySchedule(const std::string& name, const Options& options, int stages) {
  Schedule schedule;
  schedule.name = name;
  schedule.ranks = static_cast<int>(options.ranks);
  schedule.stages = stages;
  schedule.microbatches = static_cast<int>(options.microbatches);
  schedule.actions.resize(static_cast<size_t>(options.ranks));
  return schedule;
}

}  // namespace pipescope::schedules
