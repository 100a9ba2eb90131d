// Our strings against a JSON library's, on any bytes.
#include "sim/base/json_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace pipescope {
namespace {

std::string Theirs(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

TEST(JsonText, EqualsALibrarysOnWellFormedText) {
  for (const char* text : {"", "plain", "a\"b\\c/\n\t\r\b\f\x01\x1f\x7f", "\xC3\xA9 \xE2\x82\xAC",
                           "\xF0\x9F\x98\x80", "\xEF\xBF\xBF", "\xED\x9F\xBF", "\xE0\xA0\x80"}) {
    EXPECT_EQ(JsonQuoted(text), Theirs(text));
  }
}

// How many signs replace a broken sequence is a matter of taste; that what is left can be read,
// and that nothing else changes, is not.
TEST(JsonText, AnyBytesCanBeRead) {
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    const auto length = random() % 12;
    for (uint64_t i = 0; i < length; ++i) {
      const auto kind = random() % 4;
      text += static_cast<char>(kind == 0   ? random() % 0x20
                                : kind == 1 ? random() % 0x80
                                            : 0x80 + random() % 0x80);
    }
    const auto read = nlohmann::json::parse(JsonQuoted(text), nullptr, false);
    ASSERT_FALSE(read.is_discarded()) << JsonQuoted(text);
    const bool whole = Theirs(text).find("\xEF\xBF\xBD") == std::string::npos;
    if (whole) {
      EXPECT_EQ(read.get<std::string>(), text);
    }
  }
}

}  // namespace
}  // namespace pipescope
