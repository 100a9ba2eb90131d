#include "sim/base/names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pipescope {
namespace {

const std::vector<std::string> kKnown = {"gpipe", "1f1b", "zb-h1", "dualpipe", "dualpipev"};

TEST(Names, NearestNameIsTheLeastEdit) {
  EXPECT_EQ(NearestName("dualpip", kKnown), "dualpipe");
  EXPECT_EQ(NearestName("dualpipw", kKnown), "dualpipe");
  EXPECT_EQ(NearestName("gppie", kKnown), "");  // two of five letters: more than a third
  EXPECT_EQ(NearestName("1f1", kKnown), "1f1b");
  EXPECT_EQ(NearestName("dualpipev", kKnown), "dualpipev");
}

TEST(Names, FarNamesGiveNothing) {
  EXPECT_EQ(NearestName("", kKnown), "");
  EXPECT_EQ(NearestName("interleaved", kKnown), "");
  EXPECT_EQ(NearestName(std::string(65, 'g'), kKnown), "");
  EXPECT_EQ(NearestName("gpipe", {}), "");
}

TEST(Names, SuggestionListsWhatIsKnown) {
  EXPECT_EQ(Suggestion("zb-h2", kKnown), "; did you mean 'zb-h1'?");
  EXPECT_EQ(Suggestion("?????", kKnown), "; known: gpipe, 1f1b, zb-h1, dualpipe, dualpipev");
  EXPECT_EQ(Suggestion("x", {}), "");
  const std::vector<std::string> many(30, "name");
  const std::string text = Suggestion("?????????", many);
  EXPECT_TRUE(text.ends_with(", ...")) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), ','), 24);
}

}  // namespace
}  // namespace pipescope
