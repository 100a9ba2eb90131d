// The automatic families against the published curves of the bubble over the memory limit: 6.2 B
// parameters on 16 ranks, one chunk a rank and two, at 17 limits each
// (data/zero_bubble_curves.json).
#include <fmt/format.h>

#include <cmath>

#include "schedules/check.h"
#include "tests/schedules/placed_testing.h"

namespace pipescope::schedules {
namespace {

constexpr double kRounding = 5e-7;  // of six decimals

double At(const nlohmann::json& json, const char* key) { return json[key].get<double>(); }

// Costs are given by chunk: of one chunk a rank they are twice that, and the activations as well,
// so that a limit of 1 is `ranks` micro-batches of a whole rank in both. A micro-batch adds
// 34 h + 5 a s to a layer, of which the weight gradients need 32 h.
Profile ProfileOf(const nlohmann::json& json, int chunks, double limit) {
  const double of_chunk = 2.0 / chunks;
  Profile profile;
  profile.costs.forward = {of_chunk * At(json, "F")};
  profile.costs.input_grad = {of_chunk * At(json, "I")};
  profile.costs.weight_grad = {of_chunk * At(json, "W")};
  profile.costs.comm = At(json, "comm");
  const double needs = 32 * At(json, "hidden");
  const double forward = 34 * At(json, "hidden") + 5 * At(json, "heads") * At(json, "sequence");
  profile.memory = {{forward, needs - forward, -needs}};
  profile.limit = {std::floor(limit * chunks * At(json, "ranks") * forward)};
  return profile;
}

double Bubble(const PlacedProblem& problem, const Schedule& schedule) {
  const double work = Time(schedule, problem.costs).busy.front();
  return 1 - work / ValueOf(problem, schedule);
}

struct Tally {
  int points = 0, better = 0;
};

void Compare(const nlohmann::json& json, const char* family, Tally& tally) {
  const bool v = std::string(family) == "zbv-auto";
  for (size_t i = 0; i < json["limit"].size(); ++i) {
    const double limit = json["limit"][i], known = json[family][i];
    Options options{json["ranks"], json["microbatches"]};
    options.profile = ProfileOf(json, v ? 2 : 1, limit);
    const auto made = Generate(family, options);
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(Check(*made).empty());
    const auto problem = MakePlaced(*options.profile, options.ranks, options.microbatches,
                                    v ? Placement::kV : Placement::kLinear, false);
    ASSERT_TRUE(problem);
    for (size_t r = 0; r < made->actions.size(); ++r) {
      ASSERT_LE(PeakOf(*problem, made->actions[r]), problem->limit[r]);
    }
    const double bubble = Bubble(*problem, *made);
    EXPECT_LE(bubble, known + kRounding)
        << fmt::format("{} m={} limit {}", family, options.microbatches, limit);
    ++tally.points;
    tally.better += bubble < known - kRounding;
  }
}

Tally CompareAll(const char* family) {
  Tally tally;
  for (const auto& json : ReadJson("zero_bubble_curves.json")) Compare(json, family, tally);
  return tally;
}

TEST(Curves, ZbAutoIsNeverAboveThePublishedOne) {
  const Tally tally = CompareAll("zb-auto");
  EXPECT_EQ(tally.points, 34);
  EXPECT_EQ(tally.better, 20);
}

TEST(Curves, ZbvAutoIsNeverAboveThePublishedOne) {
  const Tally tally = CompareAll("zbv-auto");
  EXPECT_EQ(tally.points, 34);
  EXPECT_EQ(tally.better, 31);
}

}  // namespace
}  // namespace pipescope::schedules
