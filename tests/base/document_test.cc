#include "sim/base/document.h"

#include <gtest/gtest.h>

#include <string>

namespace pipescope {
namespace {

std::string ErrorOf(const std::string& text) {
  auto document = ParseDocument(text, "in.yaml");
  return document ? "no error" : document.error().ToString();
}

std::string Repeat(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(Document, ValuesKnowTheirPlace) {
  auto document = ParseDocument("a: 1\nb:\n  c: 'x'\n  d: [2, 3]\n", "in.yaml");
  ASSERT_TRUE(document);
  const Value& root = document->root;
  EXPECT_EQ(root.kind, Value::Kind::kMapping);
  EXPECT_EQ(root.Find("a")->scalar, "1");
  EXPECT_FALSE(root.Find("a")->quoted);
  const Value* c = root.Find("b")->Find("c");
  EXPECT_TRUE(c->quoted);
  EXPECT_EQ(c->line, 3);
  EXPECT_EQ(c->column, 6);
  const Value* d = root.Find("b")->Find("d");
  ASSERT_EQ(d->items.size(), 2u);
  EXPECT_EQ(d->items[1].line, 4);
  EXPECT_EQ(d->items[1].column, 10);
  EXPECT_EQ(root.Find("e"), nullptr);
}

TEST(Document, JsonReadsAlike) {
  auto document =
      ParseDocument("{\"a\": [1, null, \"x\\u00b5\"],\n \"b\": {\"c\": true}}", "in.json");
  ASSERT_TRUE(document);
  const Value* a = document->root.Find("a");
  ASSERT_EQ(a->items.size(), 3u);
  EXPECT_EQ(a->items[1].kind, Value::Kind::kNull);
  EXPECT_EQ(a->items[2].scalar, "xµ");
  EXPECT_EQ(document->root.Find("b")->Find("c")->line, 2);
}

TEST(Document, NullIsNotTheStringNull) {
  auto document = ParseDocument("a:\nb: ~\nc: null\nd: 'null'\ne: ''\n", "in.yaml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root.Find("a")->line, 1);  // the key's place, not that of what follows
  for (const char* null : {"a", "b", "c"}) {
    EXPECT_EQ(document->root.Find(null)->kind, Value::Kind::kNull) << null;
  }
  for (const char* text : {"d", "e"}) {
    EXPECT_EQ(document->root.Find(text)->kind, Value::Kind::kScalar) << text;
  }
}

TEST(Document, RefusesWhatIsAmbiguous) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"), "in.yaml:3:1: key 'a' is given twice");
  EXPECT_EQ(ErrorOf("a: &x 1\nb: *x\n"),
            "in.yaml:2:4: aliases ('*name') are not allowed; write the value out");
  EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"), "in.yaml: holds more than one document; expected one");
  EXPECT_EQ(ErrorOf("? [1]\n: 2\n"), "in.yaml:1:3: expected a plain key");
  EXPECT_EQ(ErrorOf(""), "in.yaml: is empty");
  EXPECT_EQ(ErrorOf("# nothing\n"), "in.yaml: is empty");
}

TEST(Document, RefusesBrokenText) {
  EXPECT_EQ(ErrorOf("{\"a\": 1,\n \"b\": [2, 3"),
            "in.yaml:1:1: expected a plain key; the bracket opened on line 2 is not closed");
  EXPECT_NE(ErrorOf("a: [1, 2"), "no error");
  EXPECT_NE(ErrorOf("a: b: c"), "no error");
  EXPECT_NE(ErrorOf("a: \"x"), "no error");
  EXPECT_NE(ErrorOf("\ta: 1\n\tb: 2"), "no error");
  EXPECT_EQ(ErrorOf(std::string("a: 1\nb: \0\n", 10)),
            "in.yaml:2: holds a NUL byte; expected text");
}

TEST(Document, BoundsDepth) {
  EXPECT_EQ(ErrorOf(Repeat("[", 64) + Repeat("]", 64)), "no error");
  EXPECT_EQ(ErrorOf(Repeat("[", 65) + Repeat("]", 65)),
            "in.yaml:1: nested more than 64 levels deep");
  EXPECT_EQ(ErrorOf(Repeat("[", 1'000'000)), "in.yaml:1: nested more than 64 levels deep");
  EXPECT_EQ(ErrorOf(Repeat("{a: ", 1'000'000)), "in.yaml:1: nested more than 64 levels deep");
  EXPECT_EQ(ErrorOf(Repeat("- ", 65) + "1"), "in.yaml:1:129: nested more than 64 levels deep");
  // A stray quote hides the brackets from the first count; the parser's own limit still holds.
  EXPECT_EQ(ErrorOf("a: 5\" x\nb: " + Repeat("[", 70) + Repeat("]", 70)),
            "in.yaml:2:67: nested more than 64 levels deep");
}

TEST(Document, BracketsInTextAreText) {
  EXPECT_EQ(ErrorOf("a: '" + Repeat("[", 100) + "'\n# " + Repeat("[", 100) + "\n"), "no error");
  EXPECT_EQ(ErrorOf("µ's: \"" + Repeat("{", 100) + "\"\n"), "no error");
}

TEST(Document, BoundsValues) {
  const std::string error = ErrorOf("[" + Repeat("1,", 1'000'001) + "]");
  EXPECT_EQ(error.substr(error.size() - 26), "more than a million values");
}

TEST(Document, LoadNamesTheFile) {
  auto missing = LoadDocument("no/such/file.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().ToString(),
            "no/such/file.yaml: cannot be opened: No such file or directory");
}

}  // namespace
}  // namespace pipescope
