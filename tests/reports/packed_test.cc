#include "reports/packed.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

std::string FromBase64(const std::string& text) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(letters.find(c));
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes += static_cast<char>(bits >> have & 255);
  }
  return bytes;
}

Json Inside(const Json& value) {
  const std::string packed = Packed(value);
  EXPECT_EQ(packed.size() % 4, 0U);
  const std::string bytes = FromBase64(packed);
  std::string out(1 << 16, '\0');
  uLongf size = out.size();
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                       reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()),
            Z_OK);
  return Json::parse(out.substr(0, size));
}

TEST(PackedTest, TheHeadersExample) {
  EXPECT_EQ(Inside({{"x", {90100, 90110, 90120, 90130, 90141, 90151, 90161, 90171}}}),
            Json({{"x", {{"n", 1}, {"d", {90100, 10, 10, 10, 11, 10, 10, 10}}}}}));
}

TEST(PackedTest, RowsOfFour) {
  const Json rows = {7, 900000, 5, 300000, 7, 900001, 5, 300000, 7, 900002, 5, 300000};
  const Json packed = Inside({{"rows", rows}})["rows"];
  EXPECT_EQ(packed["n"], 4);
  EXPECT_EQ(packed["d"], Json({7, 900000, 5, 300000, 0, 1, 0, 0, 0, 1, 0, 0}));
}

TEST(PackedTest, WhatIsNoColumnStaysAsItIs) {
  const Json value = {{"short", {1, 2}},
                      {"texts", {"a", "b", "c", "d", "e", "f", "g", "h"}},
                      {"mixed", {1, 2, 3, 4, 5, 6, 7, 8.5}},
                      {"huge", {1, 2, 3, 4, 5, 6, 7, 18446744073709551615U}},
                      {"random", {5, 0, 9, 1, 7, 2, 8, 0}},
                      {"empty", Json::array()},
                      {"none", nullptr}};
  EXPECT_EQ(Inside(value), value);
}

}  // namespace
}  // namespace pipescope::reports
