// The notation of stages: what it expands to, what it refuses, and balanced layouts.
#include "sim/model/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pipescope::model {
namespace {

using testing::HasSubstr;

ModelConfig Model(int layers, int mtp, int dense) {
  ModelConfig m = LoadModel("deepseek_v3").value();
  m.layer.clear();
  for (int i = 0; i < layers; ++i) m.layer.push_back({i >= dense, 0});
  m.mtp_modules = mtp;
  return m;
}

std::string Expand(const std::string& text, const ModelConfig& model, int stages) {
  auto layout = ParseLayout(text, model, stages);
  return layout ? PrintLayout(*layout) : "error: " + layout.error().message;
}

TEST(Layout, ExpandsRepeatsAndGroups) {
  EXPECT_EQ(Expand("Et*4|(t*4|)*14tmL", Model(61, 1, 3), 16),
            "Etttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tttt|tmL");
  EXPECT_EQ(Expand("E, t | ((t|)*2t)*1 tL |", Model(5, 0, 0), 4), "Et|t|t|ttL");
  EXPECT_EQ(Expand("E|t*2|L", Model(2, 0, 0), 3), "E|tt|L");
}

TEST(Layout, WhatIsPrintedParsesToTheSame) {
  const ModelConfig m = Model(61, 1, 3);
  for (int stages = 1; stages <= 61; ++stages) {
    const auto layout = BalancedLayout(m, stages);
    ASSERT_TRUE(layout) << stages << ": " << layout.error().message;
    EXPECT_EQ(Expand(PrintLayout(*layout), m, stages), PrintLayout(*layout));
  }
}

TEST(Layout, BlocksFollowTheModel) {
  const Layout layout = ParseLayout("Ett|tmL", Model(3, 1, 1), 2).value();
  ASSERT_EQ(layout[0].blocks.size(), 3u);
  EXPECT_EQ(layout[0].blocks[0].kind, BlockKind::kEmbedding);
  EXPECT_EQ(layout[0].blocks[1].kind, BlockKind::kDenseLayer);
  EXPECT_EQ(layout[0].blocks[2].kind, BlockKind::kMoeLayer);
  EXPECT_EQ(layout[0].blocks[2].layer, 1);
  ASSERT_EQ(layout[1].blocks.size(), 5u);  // layer, projection, MTP's layer, its head, the head
  EXPECT_TRUE(layout[1].blocks[2].mtp);
  EXPECT_EQ(layout[1].blocks[4].kind, BlockKind::kHead);
  EXPECT_FALSE(layout[1].blocks[4].mtp);
}

TEST(Layout, ErrorsSayWhatIsWrong) {
  const ModelConfig m = Model(4, 1, 0);
  EXPECT_THAT(Expand("Ett|ttmL", m, 3), HasSubstr("holds 2 stages; the plan has 3"));
  EXPECT_THAT(Expand("Et|ttmL", m, 2), HasSubstr("holds 3 layers; the model has 4"));
  EXPECT_THAT(Expand("Ett|ttL", m, 2), HasSubstr("holds 0 MTP modules; the model has 1"));
  EXPECT_THAT(Expand("tt|ttmL", m, 2), HasSubstr("the embedding E must come first"));
  EXPECT_THAT(Expand("", m, 1), HasSubstr("the embedding E must come first"));
  EXPECT_THAT(Expand("Ett|ttm", m, 2), HasSubstr("the head L must come last"));
  EXPECT_THAT(Expand("EttLttmL", m, 1), HasSubstr("the head L must come last"));
  EXPECT_THAT(Expand("Etmttt|L", m, 2), HasSubstr("a layer t comes after the MTP module"));
  EXPECT_THAT(Expand("Ett||ttmL", m, 3), HasSubstr("stage 1 is empty"));
  EXPECT_THAT(Expand("Exx", m, 1), HasSubstr("at character 2: unknown letter 'x'"));
  EXPECT_THAT(Expand("E(tt", m, 1), HasSubstr("missing ')'"));
  EXPECT_THAT(Expand("Ett)", m, 1), HasSubstr("unmatched ')'"));
  EXPECT_THAT(Expand("Et*0", m, 1), HasSubstr("expected a count from 1 after '*'"));
  EXPECT_THAT(Expand("Et*99999999999999999999", m, 1), HasSubstr("expected a count"));
  EXPECT_THAT(Expand("E((t*9999)*9999)*9999", m, 1), HasSubstr("is too long"));
  EXPECT_THAT(Expand(std::string(50, '(') + "t", m, 1), HasSubstr("nested more than 8 deep"));
}

TEST(Layout, BalancedSpreadsTheLayersEvenly) {
  for (const int layers : {4, 7, 16, 61}) {
    const ModelConfig m = Model(layers, layers % 2, 0);
    for (int stages = 2; stages <= layers; ++stages) {
      const Layout layout = BalancedLayout(m, stages).value();
      std::vector<int64_t> counts;
      for (const StageLayout& stage : layout) {
        counts.push_back(std::count(stage.text.begin(), stage.text.end(), 't'));
      }
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end() - 1);
      EXPECT_LE(*most - *least, 1) << PrintLayout(layout);
      EXPECT_LE(counts.back(), *most) << PrintLayout(layout);
    }
  }
  EXPECT_THAT(BalancedLayout(Model(4, 0, 0), 5).error().message, HasSubstr("5 stages do not fit"));
}

}  // namespace
}  // namespace pipescope::model
