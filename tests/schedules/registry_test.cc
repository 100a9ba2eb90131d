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
    if (family.least_chunks == 0) {
      EXPECT_THAT(ErrorOf(family.name, {4, 8, 7}), HasSubstr("--chunks 7: a rank of"));
    } else {
      EXPECT_EQ(ErrorOf(family.name, {4, 8, kHuge}),
                "--chunks 9223372036854775807: expected 1 to 1048576");
      EXPECT_THAT(ErrorOf(family.name, {4, 8, 1 << 20}), HasSubstr("at most 1048576 stages"));
      EXPECT_THAT(ErrorOf(family.name, {4, 8, 0}), HasSubstr("--chunks 0: "));
    }
    if (family.slices == 0) {
      EXPECT_THAT(ErrorOf(family.name, {4, 8, {}, 2}), HasSubstr("does not cut sequences"));
    } else {
      EXPECT_THAT(ErrorOf(family.name, {4, 8, {}, kHuge}), HasSubstr("expected 1 to 65536"));
      EXPECT_THAT(ErrorOf(family.name, {4, 1 << 24, {}, 65536}), HasSubstr("are supported"));
    }
    EXPECT_THAT(ErrorOf(family.name, {4, 8, {}, {}, "nosuch"}), HasSubstr("--variant nosuch: "));
    EXPECT_EQ(ErrorOf(family.name, {4, 8, family.chunks}), "no error");
  }
}

TEST(Registry, WhatIsOutOfScopeSaysWhy) {
  EXPECT_THAT(ErrorOf("pipedream", {4, 8, {}}), HasSubstr("out of scope: asynchronous"));
}

TEST(Registry, ConstraintsOfLoopsAndUnits) {
  EXPECT_EQ(ErrorOf("interleaved-1f1b", {4, 10}),
            "--microbatches 10: interleaved-1f1b needs a multiple of the 4 ranks");
  EXPECT_EQ(ErrorOf("interleaved-1f1b", {4, 10, {}, {}, "flex"}), "no error");
  EXPECT_THAT(ErrorOf("interleaved-1f1b", {4, 11, {}, {}, "flex"}), HasSubstr("such as 10"));
  EXPECT_THAT(ErrorOf("interleaved-zb", {4, 9}), HasSubstr("--microbatches 9: interleaved-zb"));
  EXPECT_EQ(ErrorOf("interleaved-1f1b", {4, 8, {}, {}, "flux"}),
            "--variant flux: expected one of megatron, flex of interleaved-1f1b");
  EXPECT_EQ(ErrorOf("zb-h2", {4, 7}),
            "--microbatches 7: zb-h2 needs at least twice the ranks: 8 for 4 ranks");
  EXPECT_EQ(ErrorOf("chimera", {3, 6}), "--ranks 3: chimera needs an even number of ranks");
  EXPECT_THAT(ErrorOf("chimera", {4, 6}), HasSubstr("expected a multiple of 4"));
  for (const char* name : {"v-half", "v-min", "1f1b-v", "zbv"}) {
    EXPECT_THAT(ErrorOf(name, {65536, 1}), HasSubstr("--ranks 65536: ")) << name;
  }
  EXPECT_EQ(ErrorOf("hanayo", {4, 8, 3}),
            "--chunks 3: hanayo needs an even number, two for each wave");
  EXPECT_THAT(ErrorOf("hanayo", {4, 6}), HasSubstr("expected a multiple of 4"));
  EXPECT_EQ(ErrorOf("combined-1f1b", {2, 4, 1}),
            "--chunks 1: combined-1f1b interleaves: expected at least 2, or one rank");
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
