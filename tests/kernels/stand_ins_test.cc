// The stand-ins of the kernels' own binary beside the libraries that they stand in for.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <iterator>
#include <memory>
#include <random>
#include <tl/expected.hpp>

#define fmt stand_in_fmt
#define tl stand_in_tl
#include "kernels/standalone/include/fmt/format.h"
#include "kernels/standalone/include/tl/expected.hpp"
#undef fmt
#undef tl

namespace pipescope::kernels {
namespace {

// Every form that the binary's sources have.
constexpr const char* kOfNumbers[] = {"{}",          "a {} b", "{:.2e}", "{:.3e}",
                                      "{:.0e}",      "{:.3g}", "{:.3f}", "{:>9.2f}",
                                      "{:>8.1f} us", "{:.4f}", "{{{}}}"};

TEST(StandIns, NumbersLookTheSame) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const double sign = random() % 2 == 0 ? 1 : -1;
    const double value = sign * std::ldexp(static_cast<double>(random() >> (random() % 60)),
                                           static_cast<int>(random() % 90) - 80);
    for (const char* form : kOfNumbers) {
      // From 2^53 on the last digits of a whole number are anybody's: times are far from there.
      if (std::abs(value) >= 9e15 && std::abs(value) < 1e16 &&
          std::string_view(form).find(".") == std::string_view::npos) {
        continue;
      }
      EXPECT_EQ(stand_in_fmt::format(form, value),
                fmt::vformat(form, fmt::make_format_args(value)));
    }
  }
}

TEST(StandIns, TextAndWholeNumbersLookTheSame) {
  for (const char* form : {"{}", "{:<8}|", "{:>8}|", "{:<1}|", "{{{}}}", "x"}) {
    const std::string text = "text";
    const int64_t number = -1234;
    EXPECT_EQ(stand_in_fmt::format(form, text), fmt::vformat(form, fmt::make_format_args(text)));
    EXPECT_EQ(stand_in_fmt::format(form, number),
              fmt::vformat(form, fmt::make_format_args(number)));
  }
  EXPECT_EQ(stand_in_fmt::format("{:>4}|{}", 7, "a"), fmt::format("{:>4}|{}", 7, "a"));
  EXPECT_EQ(stand_in_fmt::format("{:<4}|{:>3}", 7U, 'c'), fmt::format("{:<4}|{:>3}", 7U, 'c'));
}

TEST(StandIns, ListsAndIteratorsToo) {
  const std::vector<std::string> words = {"a", "b", "c"};
  EXPECT_EQ(stand_in_fmt::join(words, ", "), fmt::format("{}", fmt::join(words, ", ")));
  std::string text = "x";
  stand_in_fmt::format_to(std::back_inserter(text), "{}{:>3}", 1, 'c');
  EXPECT_EQ(text, "x" + fmt::format("{}{:>3}", 1, 'c'));
}

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {};

TEST(StandIns, AnExpectedIsAValueOrAnError) {
  using Pointer = std::unique_ptr<Base>;
  const stand_in_tl::expected<Pointer, int> pointer = std::make_unique<Derived>();
  EXPECT_TRUE(pointer);
  const stand_in_tl::expected<std::string, int> wrong = stand_in_tl::unexpected<int>(7);
  EXPECT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), 7);
  stand_in_tl::expected<std::string, int> right = "text";
  EXPECT_EQ(right->size(), 4u);
  right = wrong;
  EXPECT_FALSE(right.has_value());
  const stand_in_tl::expected<void, int> nothing, fault = stand_in_tl::unexpected<int>(3);
  EXPECT_TRUE(nothing);
  EXPECT_EQ(fault.error(), 3);
  EXPECT_DEATH((void)*wrong, "");
}

}  // namespace
}  // namespace pipescope::kernels
