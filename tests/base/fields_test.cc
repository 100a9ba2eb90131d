#include "sim/base/fields.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace pipescope {
namespace {

// The error of reading `text` with `read`, or "no error".
std::string ErrorOf(const std::string& text, const std::function<void(Fields&)>& read) {
  auto document = ParseDocument(text, "in.yaml");
  if (!document) return document.error().ToString();
  Reader reader(*document);
  Fields root = reader.Root();
  read(root);
  auto status = reader.Finish();
  return status ? "no error" : status.error().ToString();
}

TEST(Fields, UnknownNamesAreErrorsWithASuggestion) {
  const auto read = [](Fields& root) {
    root.Integer("nodes", 1, 9, 1);
    root.OptionalObject("node").String("name", "");
  };
  EXPECT_EQ(ErrorOf("nodes: 2\nnode: {name: x}\n", read), "no error");
  EXPECT_EQ(ErrorOf("nodes: 2\nnods: 3\n", read),
            "in.yaml:2:7: nods: unknown name; did you mean 'node'?");
  EXPECT_EQ(ErrorOf("nodes: 2\nnode: {nam: x}\n", read),
            "in.yaml:2:13: node.nam: unknown name; did you mean 'name'?");
  EXPECT_EQ(ErrorOf("colour: red\n", read),
            "in.yaml:1:9: colour: unknown name; known: node, nodes");
}

TEST(Fields, AnUnknownNameExplainsTheMissingOne) {
  EXPECT_EQ(ErrorOf("sm: 3\n", [](Fields& root) { root.Integer("sms", 1, 9); }),
            "in.yaml:1:5: sm: unknown name; did you mean 'sms'?");
  EXPECT_EQ(ErrorOf("{}", [](Fields& root) { root.Integer("sms", 1, 9); }),
            "in.yaml:1:1: sms: is missing");
  EXPECT_EQ(ErrorOf("sms:\n", [](Fields& root) { root.Integer("sms", 1, 9); }),
            "in.yaml:1:1: sms: is missing");
}

TEST(Fields, WrongKinds) {
  const auto integer = [](Fields& root) { root.Integer("a", 1, 9); };
  EXPECT_EQ(ErrorOf("a: [1]\n", integer), "in.yaml:1:4: a: is a list; expected a single value");
  EXPECT_EQ(ErrorOf("a: {b: 1}\n", integer),
            "in.yaml:1:4: a: is a mapping; expected a single value");
  EXPECT_EQ(ErrorOf("- 1\n", integer), "in.yaml:1:1: the file holds a list; expected a mapping");
  EXPECT_EQ(ErrorOf("a: 1\n", [](Fields& root) { root.Object("a"); }),
            "in.yaml:1:4: a: is a single value; expected a mapping");
  EXPECT_EQ(ErrorOf("a: 1\n", [](Fields& root) { root.Objects("a"); }),
            "in.yaml:1:4: a: is a single value; expected a list of mappings");
  EXPECT_EQ(ErrorOf("a: [{}, 1]\n", [](Fields& root) { root.Objects("a"); }),
            "in.yaml:1:9: a[1]: expected a mapping");
  EXPECT_EQ(ErrorOf("a: [x, [y]]\n", [](Fields& root) { root.Strings("a"); }),
            "in.yaml:1:8: a[1]: expected a single value");
}

TEST(Fields, IntegersAreExactAndInRange) {
  const auto read = [](Fields& root) { root.Integer("a", 1, 9); };
  EXPECT_EQ(ErrorOf("a: 9\n", read), "no error");
  for (const char* bad : {"0", "10", "1.5", "x", "nan", "-1", "1e300"}) {
    EXPECT_EQ(ErrorOf("a: " + std::string(bad) + "\n", read),
              "in.yaml:1:4: a: '" + std::string(bad) + "': expected a whole number from 1 to 9");
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  int64_t value = 0;
  const auto any = [&](Fields& root) { value = root.Integer("a", 0, kMost); };
  EXPECT_EQ(ErrorOf("a: 9223372036854775807\n", any), "no error");
  EXPECT_EQ(value, kMost);
  EXPECT_EQ(ErrorOf("a: 9007199254740993\n", any), "no error");
  EXPECT_EQ(value, 9007199254740993);
  EXPECT_EQ(ErrorOf("a: 4e3\n", any), "no error");
  EXPECT_EQ(value, 4000);
  EXPECT_EQ(ErrorOf("a: 15.36k\n", any), "no error");
  EXPECT_EQ(value, 15360);
  EXPECT_NE(ErrorOf("a: 1.2345k\n", any), "no error");
  EXPECT_NE(ErrorOf("a: 9223372036854775808\n", any), "no error");
  EXPECT_NE(ErrorOf("a: 1e19\n", any), "no error");
}

TEST(Fields, NumbersAndBooleansAndChoices) {
  const auto number = [](Fields& root) { root.Number("a", 0, 1); };
  EXPECT_EQ(ErrorOf("a: 0.5\n", number), "no error");
  EXPECT_EQ(ErrorOf("a: 2\n", number), "in.yaml:1:4: a: '2': expected a number from 0 to 1");
  const auto boolean = [](Fields& root) { root.Boolean("a"); };
  EXPECT_EQ(ErrorOf("a: true\n", boolean), "no error");
  EXPECT_EQ(ErrorOf("a: yes\n", boolean), "in.yaml:1:4: a: 'yes': expected true or false");
  const auto choice = [](Fields& root) { root.Choice("a", {"none", "fat-tree"}); };
  EXPECT_EQ(ErrorOf("a: fat-tree\n", choice), "no error");
  EXPECT_EQ(ErrorOf("a: fattree\n", choice),
            "in.yaml:1:4: a: 'fattree' is not known here; did you mean 'fat-tree'?");
}

TEST(Fields, QuantitiesNeedUnits) {
  const auto read = [](Fields& root) { root.GetBandwidth("a"); };
  EXPECT_EQ(ErrorOf("a: 400 Gbps\n", read), "no error");
  EXPECT_EQ(ErrorOf("a: 400\n", read),
            "in.yaml:1:4: a: '400': expected a bandwidth with its unit, such as '400 Gbps' or '50 "
            "GB/s'");
  EXPECT_EQ(ErrorOf("a: \"400 Gbps\"\n", read), "no error");
}

TEST(Fields, FallbacksAndNamesAndNotes) {
  int64_t value = 0;
  EXPECT_EQ(ErrorOf("{}", [&](Fields& root) { value = root.Integer("a", 1, 9, 5); }), "no error");
  EXPECT_EQ(value, 5);
  EXPECT_EQ(ErrorOf("b: 1\na: 2\n",
                    [](Fields& root) {
                      EXPECT_EQ(root.Names(), (std::vector<std::string>{"b", "a"}));
                      EXPECT_TRUE(root.Has("a"));
                      root.IgnoreOthers();
                    }),
            "no error");
  EXPECT_EQ(ErrorOf("a: {b: 1}\n",
                    [](Fields& root) {
                      Fields a = root.Object("a");
                      a.Integer("b", 0, 9);
                      a.Note("b", "does not suit");
                      a.Note("b", "second");
                    }),
            "in.yaml:1:8: a.b: does not suit");
}

}  // namespace
}  // namespace pipescope
