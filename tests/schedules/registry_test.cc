// Names and bounds.
#include "schedules/registry.h"

#include <limits>

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& name, const Options& options) {
  const auto schedule = Generate(name, options);
  return schedule ? "no error" : schedule.error().message;
}

TEST(Registry, NamesAndAliases) {
  EXPECT_EQ(MakeSchedule("zb1p", 4, 8).name, "zb-h1");
  EXPECT_EQ(ErrorOf("dualpip", {4, 8, {}}),
            "'dualpip' is not a known schedule; did you mean 'dualpipe'?");
  EXPECT_THAT(ErrorOf("frobnicate", {4, 8, {}}), HasSubstr("known: gpipe, 1f1b"));
  EXPECT_THAT(ErrorOf("", {4, 8, {}}), HasSubstr("is not a known schedule"));
}

TEST(Registry, EveryFamilyIsDescribed) {
  for (const Family& family : Families()) {
    for (const std::string& text :
         {family.summary, family.reference, family.constraints, family.options, family.bubble,
          family.bubble_exact_when, family.peak_activations}) {
      EXPECT_FALSE(text.empty()) << family.name;
    }
  }
}

TEST(Registry, OptionsOutOfRange) {
  for (const Family& family : Families()) {
    EXPECT_EQ(ErrorOf(family.name, {0, 8, {}}), "--ranks 0: expected 1 to 65536");
    EXPECT_EQ(ErrorOf(family.name, {-3, 8, {}}), "--ranks -3: expected 1 to 65536");
    EXPECT_EQ(ErrorOf(family.name, {4, 0, {}}), "--microbatches 0: expected 1 to 16777216");
    constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
    EXPECT_THAT(ErrorOf(family.name, {kHuge, 8, {}}), HasSubstr("expected 1 to"));
    EXPECT_THAT(ErrorOf(family.name, {4, kHuge, {}}), HasSubstr("expected 1 to"));
    EXPECT_THAT(ErrorOf(family.name, {65536, 1 << 24, {}}), HasSubstr("are supported"));
    EXPECT_THAT(ErrorOf(family.name, {4, 8, 7}), HasSubstr("--chunks 7: a rank of"));
    EXPECT_EQ(ErrorOf(family.name, {4, 8, family.chunks}), "no error");
  }
}

TEST(Registry, DualPipesConstraints) {
  EXPECT_EQ(ErrorOf("dualpipe", {5, 20, {}}), "--ranks 5: dualpipe needs an even number of ranks");
  EXPECT_EQ(ErrorOf("dualpipe", {8, 6, {}}),
            "--microbatches 6: dualpipe needs at least twice the ranks: 16 for 8 ranks");
  EXPECT_EQ(ErrorOf("dualpipe", {4, 9, {}}),
            "--microbatches 9: dualpipe needs an even number, half for each direction");
  EXPECT_EQ(ErrorOf("dualpipev", {4, 7, {}}),
            "--microbatches 7: dualpipev needs at least twice the ranks: 8 for 4 ranks");
  EXPECT_EQ(ErrorOf("dualpipev", {4, 9, {}}), "no error");
}

}  // namespace
}  // namespace pipescope::schedules
