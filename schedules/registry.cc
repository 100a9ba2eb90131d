#include "schedules/registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "schedules/limits.h"
#include "sim/base/names.h"

namespace pipescope::schedules {

// One line a family: it declares `Family NameFamily()` and puts it on the list.
#define PIPESCOPE_FAMILIES(FAMILY) \
  FAMILY(GPipe)                    \
  FAMILY(OneFOneB)                 \
  FAMILY(EagerOneFOneB)            \
  FAMILY(InterleavedOneFOneB)      \
  FAMILY(LoopedBfs)                \
  FAMILY(ZbH1)                     \
  FAMILY(ZbH2)                     \
  FAMILY(ZbAuto)                   \
  FAMILY(InterleavedZb)            \
  FAMILY(Zbv)                      \
  FAMILY(ZbvAuto)                  \
  FAMILY(OneFOneBV)                \
  FAMILY(VHalf)                    \
  FAMILY(VMin)                     \
  FAMILY(Chimera)                  \
  FAMILY(Hanayo)                   \
  FAMILY(SeqOneFOneB)              \
  FAMILY(DualPipe)                 \
  FAMILY(DualPipeV)                \
  FAMILY(CombinedOneFOneB)

#define PIPESCOPE_DECLARE(name) Family name##Family();
PIPESCOPE_FAMILIES(PIPESCOPE_DECLARE)
#undef PIPESCOPE_DECLARE

namespace {

Status CheckRange(const std::string& name, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return {};
  return BadOption(name, value, fmt::format("expected 1 to {}", most));
}

Status CheckChunks(const Family& family, int64_t chunks) {
  if (family.least_chunks > 0) return CheckRange("--chunks", chunks, kMaxStages);
  if (chunks == family.chunks) return {};
  return BadOption(
      "--chunks", chunks,
      fmt::format("a rank of {} holds {} stage{}; expected {} or no --chunks", family.name,
                  family.chunks, family.chunks == 1 ? "" : "s", family.chunks));
}

Status CheckSlices(const Family& family, const Options& options) {
  if (!options.slices) return {};
  if (family.slices > 0) return CheckRange("--slices", *options.slices, kMaxSlices);
  return BadOption("--slices", *options.slices,
                   fmt::format("{} does not cut sequences; expected no --slices", family.name));
}

Status CheckVariant(const Family& family, const std::string& variant) {
  if (variant.empty()) return {};
  if (family.variants.empty()) {
    return Fail(fmt::format("--variant {}: {} has one order only; expected no --variant",
                            variant.substr(0, 60), family.name));
  }
  for (const std::string& known : family.variants) {
    if (known == variant) return {};
  }
  return Fail(fmt::format("--variant {}: expected one of {} of {}", variant.substr(0, 60),
                          fmt::join(family.variants, ", "), family.name));
}

// F, I and W of every stage and micro-batch (or slice of one) are the most a schedule can hold. The
// factors are checked one after the other, so that no product overflows.
Status CheckSize(const Options& options) {
  const int64_t chunks = options.chunks.value_or(1), slices = options.slices.value_or(1);
  if (options.ranks * chunks > kMaxStages) {
    return BadOption("--chunks", chunks,
                     fmt::format("{} stages with {} ranks; expected at most {} stages",
                                 options.ranks * chunks, options.ranks, kMaxStages));
  }
  const int64_t units = options.microbatches * slices;
  const int64_t actions = 3 * options.ranks * chunks * units;
  if (units <= kMaxMicrobatches && actions <= kMaxActions) return {};
  const int64_t most = std::min(kMaxMicrobatches, kMaxActions / (3 * options.ranks * chunks));
  return BadOption("--microbatches", options.microbatches,
                   fmt::format("with {} ranks that is up to {} actions; at most {} are supported, "
                               "expected at most {} micro-batches",
                               options.ranks, actions, kMaxActions, most / slices));
}

Status CheckOptions(const Family& family, const Options& options) {
  if (auto ok = CheckRange("--ranks", options.ranks, kMaxRanks); !ok) return ok;
  if (auto ok = CheckRange("--microbatches", options.microbatches, kMaxMicrobatches); !ok) {
    return ok;
  }
  if (options.chunks) {
    if (auto ok = CheckChunks(family, *options.chunks); !ok) return ok;
    if (*options.chunks < family.least_chunks) {
      return BadOption("--chunks", *options.chunks,
                       fmt::format("{} needs at least {}", family.name, family.least_chunks));
    }
  }
  if (auto ok = CheckSlices(family, options); !ok) return ok;
  if (auto ok = CheckVariant(family, options.variant); !ok) return ok;
  if (options.profile && !family.automatic) {
    return Fail(
        fmt::format("--memory-limit: {} has one order whatever costs and memory; expected "
                    "zb-auto or zbv-auto",
                    family.name));
  }
  return CheckSize(WithDefaults(family, options));
}

}  // namespace

const std::vector<Family>& Families() {
#define PIPESCOPE_ENTRY(name) name##Family(),
  static const std::vector<Family> kFamilies = {PIPESCOPE_FAMILIES(PIPESCOPE_ENTRY)};
#undef PIPESCOPE_ENTRY
  return kFamilies;
}

const std::vector<OutOfScope>& FamiliesOutOfScope() {
  static const std::vector<OutOfScope> kOutOfScope = {
      {"pipedream",
       "asynchronous: it trains on stale weights and never drains, so that a step has no end to "
       "time; 1f1b is its synchronous form"},
  };
  return kOutOfScope;
}

Result<const Family*> FindFamily(const std::string& name) {
  for (const OutOfScope& other : FamiliesOutOfScope()) {
    if (other.name == name) {
      return Fail(fmt::format("'{}' is out of scope: {}", name, other.reason));
    }
  }
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

Options WithDefaults(const Family& family, Options options) {
  if (!options.chunks) options.chunks = family.chunks;
  if (!options.slices && family.slices > 0) options.slices = family.slices;
  if (options.variant.empty() && !family.variants.empty()) {
    options.variant = family.variants.front();
  }
  return options;
}

std::optional<double> ExactBubble(const Family& family, const Options& options,
                                  const Costs& costs) {
  if (family.exact_bubble == nullptr) return {};
  return family.exact_bubble(WithDefaults(family, options), costs);
}

Result<Schedule> Generate(const Family& family, const Options& options) {
  if (auto ok = CheckOptions(family, options); !ok) return Fail(ok.error());
  return family.generate(WithDefaults(family, options));
}

Result<Schedule> Generate(const std::string& name, const Options& options) {
  auto family = FindFamily(name);
  if (!family) return Fail(family.error());
  return Generate(**family, options);
}

}  // namespace pipescope::schedules
