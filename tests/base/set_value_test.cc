#include <gtest/gtest.h>

#include <string>

#include "sim/base/document.h"
#include "sim/base/fields.h"

namespace pipescope {
namespace {

Document Parse(const std::string& text) { return ParseDocument(text, "in.yaml").value(); }

std::string ErrorOf(Document& document, const std::string& path, const std::string& text) {
  auto status = SetValue(document, path, text);
  return status ? "no error" : status.error().ToString();
}

TEST(SetValue, ReplacesAndMakesMembers) {
  Document document = Parse("a: 1\nb: {c: 2}\nd:\ne: [{f: 3}, [4, 5]]\n");
  EXPECT_TRUE(SetValue(document, "a", "10"));
  EXPECT_TRUE(SetValue(document, "b.c", "[1, 2]"));
  EXPECT_TRUE(SetValue(document, "d.x.y", "new"));
  EXPECT_TRUE(SetValue(document, "e[0].f", "30"));
  EXPECT_TRUE(SetValue(document, "e[1][0]", "40"));
  const Value& root = document.root;
  EXPECT_EQ(root.Find("a")->scalar, "10");
  EXPECT_EQ(root.Find("b")->Find("c")->items.size(), 2u);
  EXPECT_EQ(root.Find("d")->Find("x")->Find("y")->scalar, "new");
  EXPECT_EQ(root.Find("e")->items[0].Find("f")->scalar, "30");
  EXPECT_EQ(root.Find("e")->items[1].items[0].scalar, "40");
}

TEST(SetValue, BadPathsSayWhyAndChangeNothing) {
  Document document = Parse("a: 1\ne: [1, 2]\n");
  EXPECT_EQ(ErrorOf(document, "", "5"), "--set =5: expected a path such as communication.sms");
  EXPECT_EQ(ErrorOf(document, "a.", "5"), "--set a.=5: expected a path such as communication.sms");
  EXPECT_EQ(ErrorOf(document, "a..b", "5"),
            "--set a..b=5: expected a path such as communication.sms");
  EXPECT_EQ(ErrorOf(document, "a.b", "5"), "--set a.b=5: 'b' is not inside a mapping");
  EXPECT_EQ(ErrorOf(document, "e[2]", "5"),
            "--set e[2]=5: '[2]' does not name an item of a sequence");
  EXPECT_EQ(ErrorOf(document, "a[0]", "5"),
            "--set a[0]=5: '[0]' does not name an item of a sequence");
  EXPECT_EQ(ErrorOf(document, "new[0]", "5"),
            "--set new[0]=5: '[0]' does not name an item of a sequence");
  for (const char* path : {"e[-1]", "e[0", "e[]", "e[x]", "e[ 0]", "e[99999999999999999999]"}) {
    EXPECT_EQ(ErrorOf(document, path, "5"),
              "--set " + std::string(path) + "=5: expected an index such as stages[2]");
  }
  EXPECT_EQ(ErrorOf(document, "e[0]x", "5"),
            "--set e[0]x=5: expected a path such as communication.sms");
  EXPECT_EQ(document.root.members.size(), 2u);
  EXPECT_EQ(document.root.Find("a")->scalar, "1");
}

TEST(SetValue, BadValuesSayWhy) {
  Document document = Parse("a: 1\n");
  EXPECT_EQ(ErrorOf(document, "a", ""), "--set a=: is empty");
  EXPECT_NE(ErrorOf(document, "a", "[1"), "no error");
  EXPECT_EQ(document.root.Find("a")->scalar, "1");
}

TEST(SetValue, DepthIsBounded) {
  Document document = Parse("a: 1\n");
  std::string path = "x";
  for (int i = 0; i < 100'000; ++i) path += ".x";
  auto status = SetValue(document, path, "1");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "nested more than 64 levels deep");
}

TEST(SetValue, ErrorsDoNotPointAtALineOfTheFile) {
  Document document = Parse("a: 1\nb: 2\n");
  ASSERT_TRUE(SetValue(document, "b", "x"));
  Reader reader(document);
  Fields root = reader.Root();
  root.Integer("a", 0, 9);
  root.Integer("b", 0, 9);
  EXPECT_EQ(reader.Finish().error().ToString(),
            "in.yaml: b: 'x': expected a whole number from 0 to 9");
}

}  // namespace
}  // namespace pipescope
