#include "schedules/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "schedules/limits.h"
#include "sim/base/names.h"

namespace pipescope::schedules {

// One line a family: it declares `Family NameFamily()` and puts it on the list.
#define PIPESCOPE_FAMILIES(FAMILY) \
  FAMILY(GPipe)                    \
  FAMILY(OneFOneB)                 \
  FAMILY(ZbH1)                     \
  FAMILY(DualPipe)                 \
  FAMILY(DualPipeV)

#define PIPESCOPE_DECLARE(name) Family name##Family();
PIPESCOPE_FAMILIES(PIPESCOPE_DECLARE)
#undef PIPESCOPE_DECLARE

namespace {

Status CheckRange(const std::string& name, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return {};
  return BadOption(name, value, fmt::format("expected 1 to {}", most));
}

// F, I and W of every stage and micro-batch are the most a schedule can hold.
Status CheckSize(const Family& family, const Options& options) {
  if (auto ok = CheckRange("--ranks", options.ranks, kMaxRanks); !ok) return ok;
  if (auto ok = CheckRange("--microbatches", options.microbatches, kMaxMicrobatches); !ok) {
    return ok;
  }
  if (options.chunks && *options.chunks != family.chunks) {
    return BadOption(
        "--chunks", *options.chunks,
        fmt::format("a rank of {} holds {} stage{}; expected {} or no --chunks", family.name,
                    family.chunks, family.chunks == 1 ? "" : "s", family.chunks));
  }
  const int64_t actions = 3 * options.ranks * family.chunks * options.microbatches;
  if (actions <= kMaxActions) return {};
  return BadOption("--microbatches", options.microbatches,
                   fmt::format("with {} ranks that is up to {} actions; at most {} are supported, "
                               "expected at most {} micro-batches",
                               options.ranks, actions, kMaxActions,
                               kMaxActions / (3 * options.ranks * family.chunks)));
}

}  // namespace

const std::vector<Family>& Families() {
#define PIPESCOPE_ENTRY(name) name##Family(),
  static const std::vector<Family> kFamilies = {PIPESCOPE_FAMILIES(PIPESCOPE_ENTRY)};
#undef PIPESCOPE_ENTRY
  return kFamilies;
}

Result<const Family*> FindFamily(const std::string& name) {
  std::vector<std::string> known;
  for (const Family& family : Families()) {
    if (family.name == name) return &family;
    known.push_back(family.name);
    for (const std::string& alias : family.aliases) {
      if (alias == name) return &family;
      known.push_back(alias);
    }
  }
  return Fail(
      fmt::format("'{}' is not a known schedule{}", name.substr(0, 60), Suggestion(name, known)));
}

Result<Schedule> Generate(const Family& family, const Options& options) {
  if (auto ok = CheckSize(family, options); !ok) return Fail(ok.error());
  return family.generate(options);
}

Result<Schedule> Generate(const std::string& name, const Options& options) {
  auto family = FindFamily(name);
  if (!family) return Fail(family.error());
  return Generate(**family, options);
}

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
