#include "cli/optimize_inputs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "cli/verb.h"
#include "schedules/family.h"
#include "schedules/optimize/problem.h"
#include "sim/profile.h"
#include "sim/stages.h"

namespace pipescope::cli {
namespace {

using schedules::Placement;
using schedules::Profile;

Placement PlacementOf(const OptimizeOptions& options) {
  if (options.placement == "v") return Placement::kV;
  return options.placement == "bidirectional" ? Placement::kBidirectional : Placement::kLinear;
}

Status CheckOptions(const OptimizeOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= 86'400)) {
    return Fail(fmt::format("--time-limit {:g}: expected seconds, above 0, at most 86400",
                            options.seconds));
  }
  if (options.overlap && options.placement == "linear") {
    return Fail(
        "--overlap: a pair is of a rank's two stages; expected --placement v or "
        "bidirectional");
  }
  if (!options.experiment.empty()) {
    if (!options.ranks && !options.microbatches && options.cost.empty() &&
        !options.input_grad_frees) {
      return {};
    }
    return Fail(
        "--experiment gives ranks, micro-batches, costs and memory; expected no --ranks, "
        "--microbatches, --cost or --input-grad-frees");
  }
  if (!options.overrides.empty()) return Fail("--set: expected with --experiment only");
  if (!options.ranks) return Fail("--ranks is required, or --experiment");
  if (!options.microbatches) return Fail("--microbatches is required, or --experiment");
  for (const auto& [name, value] :
       {std::pair{"--ranks", *options.ranks}, std::pair{"--microbatches", *options.microbatches}}) {
    if (value >= 1 && value <= schedules::kMostOptimizedActions) continue;
    return schedules::BadOption(name, value,
                                fmt::format("expected 1 to {}", schedules::kMostOptimizedActions));
  }
  return {};
}

// What 1f1b, zbv, dualpipe and dualpipev hold.
double DefaultLimit(const OptimizeOptions& options) {
  const auto ranks = static_cast<double>(*options.ranks);
  const double whole = options.placement == "v" ? 2 * ranks : ranks;
  return options.overlap || options.placement == "bidirectional" ? whole + 1 : whole;
}

Result<Profile> FromCommand(const OptimizeOptions& options) {
  Profile profile;
  if (!options.cost.empty()) {
    auto costs = schedules::ReadCosts(options.cost);
    if (!costs) return Fail(costs.error());
    profile.costs = std::move(*costs);
  }
  const double freed = options.input_grad_frees.value_or(0.5);
  if (!(freed >= 0 && freed <= 1)) {
    return Fail(fmt::format("--input-grad-frees {:g}: expected a share from 0 to 1", freed));
  }
  profile.memory = {{1, -freed, freed - 1}};
  profile.limit =
      options.limits.empty() ? std::vector<double>{DefaultLimit(options)} : options.limits;
  for (const double limit : profile.limit) {
    if (limit >= 1 && std::isfinite(limit)) continue;
    return Fail(fmt::format(
        "--memory-limit {:g}: expected at least 1, the activations of one chunk", limit));
  }
  if (options.overlap) profile.goal = schedules::Goal::kMakespan;
  return profile;
}

void ChooseGoal(const OptimizeOptions& options, Profile& profile) {
  if (options.goal == "span") profile.goal = schedules::Goal::kSpan;
  if (options.goal == "makespan") profile.goal = schedules::Goal::kMakespan;
}

Result<OptimizeInputs> FromExperiment(const OptimizeOptions& options) {
  auto experiment = LoadExperiment(options.experiment, options.overrides);
  if (!experiment) return Fail(experiment.error());
  const Placement placement = PlacementOf(options);
  auto profile = ProfileOf(*experiment, placement);
  if (!profile) return Fail(profile.error());
  if (!options.limits.empty()) profile->limit = options.limits;
  ChooseGoal(options, *profile);
  auto problem = MakePlaced(*profile, experiment->parallel.pipeline, experiment->microbatches(),
                            placement, options.overlap);
  if (!problem) return Fail(problem.error());
  return OptimizeInputs{
      std::move(*problem), "GiB",
      fmt::format("inputs of {}, each action alone: {}", experiment->name, ProfileText(*profile))};
}

}  // namespace

Result<OptimizeInputs> ReadInputs(const OptimizeOptions& options) {
  if (auto ok = CheckOptions(options); !ok) return Fail(ok.error());
  if (!options.experiment.empty()) return FromExperiment(options);
  auto profile = FromCommand(options);
  if (!profile) return Fail(profile.error());
  ChooseGoal(options, *profile);
  auto problem = MakePlaced(*profile, *options.ranks, *options.microbatches, PlacementOf(options),
                            options.overlap);
  if (!problem) return Fail(problem.error());
  const double freed = -profile->memory.front().input_grad;
  OptimizeInputs inputs{std::move(*problem), "activations of one chunk", ""};
  inputs.words = fmt::format(
      "memory limit {:g} activations of one chunk, of which I frees {:g} "
      "and W {:g}",
      fmt::join(profile->limit, ", "), freed, 1 - freed);
  return inputs;
}

std::string Reproduce(const OptimizeOptions& options) {
  std::vector<std::string> words = {"pipescope", "schedule", "optimize"};
  const auto add = [&](const char* name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  if (!options.experiment.empty()) add("--experiment", options.experiment);
  for (const std::string& override : options.overrides) add("--set", override);
  if (options.ranks) add("--ranks", fmt::format("{}", *options.ranks));
  if (options.microbatches) add("--microbatches", fmt::format("{}", *options.microbatches));
  if (!options.cost.empty()) add("--cost", options.cost);
  if (!options.limits.empty()) {
    add("--memory-limit", fmt::format("{}", fmt::join(options.limits, ",")));
  }
  if (options.input_grad_frees) {
    add("--input-grad-frees", fmt::format("{}", *options.input_grad_frees));
  }
  if (options.placement != "linear") add("--placement", options.placement);
  if (options.overlap) words.emplace_back("--overlap");
  if (!options.goal.empty()) add("--goal", options.goal);
  add("--method", options.method);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return CommandLine(static_cast<int>(argv.size()), argv.data());
}

}  // namespace pipescope::cli
