#include "sim/base/quantity.h"

#include <gtest/gtest.h>

#include <string>

namespace pipescope {
namespace {

template <class T>
std::string ErrorOf(const Result<T>& result) {
  return result ? "no error" : result.error().ToString();
}

constexpr const char* kBandwidth =
    "expected a bandwidth with its unit, such as '400 Gbps' or '50 GB/s'";
constexpr const char* kDuration = "expected a duration with its unit, such as '3.7 us' or '1.5 ms'";

TEST(Quantity, BitsAndBytesAreToldApart) {
  EXPECT_EQ(ParseBandwidth("400 Gbps").value(), GigabytesPerSecond(50));
  EXPECT_EQ(ParseBandwidth("400Gbps").value(), GigabytesPerSecond(50));
  EXPECT_EQ(ParseBandwidth(" 50 GB/s ").value(), GigabytesPerSecond(50));
  EXPECT_EQ(ParseBandwidth("8 bps").value(), Bandwidth(1));
  EXPECT_EQ(ParseBandwidth("1 GiB/s").value(), Bandwidth(1073741824));
  for (const char* ambiguous : {"400 Gb/s", "400 GBps", "400 gbps", "50 GB", "400 G"}) {
    EXPECT_EQ(ErrorOf(ParseBandwidth(ambiguous)),
              "'" + std::string(ambiguous) + "': " + kBandwidth);
  }
}

TEST(Quantity, SizesKnowPowersOf1000And1024) {
  EXPECT_EQ(ParseBytes("80 GiB").value(), Bytes(int64_t{80} << 30));
  EXPECT_EQ(ParseBytes("80 GB").value(), Bytes(80'000'000'000));
  EXPECT_EQ(ParseBytes("81559 MiB").value(), Bytes(int64_t{81559} << 20));
  EXPECT_EQ(ParseBytes("0 B").value(), Bytes(0));
  EXPECT_EQ(ErrorOf(ParseBytes("80 Gb")),
            "'80 Gb': expected a size with its unit, such as '80 GiB'");
}

TEST(Quantity, DurationsAreExactInPicoseconds) {
  EXPECT_EQ(ParseDuration("3.7 us").value(), Duration(3'700'000));
  EXPECT_EQ(ParseDuration("3.33 us").value(), Duration(3'330'000));
  EXPECT_EQ(ParseDuration("1.1 us").value(), Duration(1'100'000));
  EXPECT_EQ(ParseDuration("150 ns").value(), Duration(150'000));
  EXPECT_EQ(ParseDuration("1 µs").value(), Duration(1'000'000));
  EXPECT_EQ(ParseDuration("2 min").value(), Seconds(120));
  EXPECT_EQ(ParseDuration("1e-3 ms").value(), Microseconds(1));
}

TEST(Quantity, BadNumbersAreRefused) {
  for (const char* bad : {"", " ", "us", "us 3", "3,7 us", "+3 us", "0x10 us", "nan us", "inf us",
                          "1e999 us", "3 us us", "3", "- 3 us", "3.7 \xff"}) {
    EXPECT_EQ(ErrorOf(ParseDuration(bad)), "'" + std::string(bad) + "': " + kDuration);
  }
  EXPECT_EQ(ErrorOf(ParseDuration("-3 us")),
            "'-3 us': " + std::string(kDuration) + ", not below zero");
  EXPECT_EQ(ErrorOf(ParseDuration("1e9 h")),
            "'1e9 h': " + std::string(kDuration) + ", not as large");
  EXPECT_EQ(ErrorOf(ParseBandwidth("1e300 GB/s")),
            "'1e300 GB/s': " + std::string(kBandwidth) + ", not as large");
  EXPECT_FALSE(ParseFlopRate("989.4"));
  EXPECT_FALSE(ParseFlopRate("989.4 TFLOP"));
  EXPECT_DOUBLE_EQ(ParseFlopRate("989.4 TFLOPS").value().value(), 989.4e12);
}

TEST(Quantity, LongTextIsCutInErrors) {
  const std::string text(100'000, 'x');
  EXPECT_LT(ErrorOf(ParseDuration(text)).size(), 200u);
  EXPECT_LT(ErrorOf(ParseNumber(text)).size(), 200u);
}

TEST(Quantity, Numbers) {
  EXPECT_DOUBLE_EQ(ParseNumber("1.5").value(), 1.5);
  EXPECT_DOUBLE_EQ(ParseNumber(" -2e3 ").value(), -2000);
  EXPECT_EQ(ParseNumber("4k").value(), 4000);
  EXPECT_EQ(ParseNumber("4Ki").value(), 4096);
  EXPECT_EQ(ParseNumber("1.5M").value(), 1.5e6);
  EXPECT_EQ(ParseNumber("1.001k").value(), 1001);  // not 1000.9999999999999
  EXPECT_EQ(ParseNumber("-2 G").value(), -2e9);
  EXPECT_EQ(ParseNumber("0.5Ti").value(), 549755813888);
  for (const char* bad : {"", "nan", "inf", "-inf", "1e999", "1 2", "1.5x", "+1", "k", "4kk",
                          "1e3k", "nank", "4m", "4kB", "1e", "4e k"}) {
    EXPECT_EQ(ErrorOf(ParseNumber(bad)), "'" + std::string(bad) + "': expected a number");
  }
}

TEST(Quantity, FormatsThreeOrFourDigits) {
  EXPECT_EQ(Format(Duration()), "0 s");
  EXPECT_EQ(Format(Duration(1)), "1.000 ps");
  EXPECT_EQ(Format(Duration(1'174'405'120)), "1.174 ms");
  EXPECT_EQ(Format(Seconds(7200)), "7200 s");
  EXPECT_EQ(Format(Duration() - Microseconds(2.5)), "-2.500 us");
  EXPECT_EQ(Format(Bytes(999)), "999 B");
  EXPECT_EQ(Format(Bytes(58'720'256)), "58.72 MB");
  EXPECT_EQ(Format(GigabytesPerSecond(50)), "50.00 GB/s");
  EXPECT_EQ(Format(Teraflops(989.4)), "989.4 TFLOPS");
  EXPECT_EQ(FormatGiB(Bytes(int64_t{3} << 29)), "1.50 GiB");
  EXPECT_EQ(FormatCount(671e9), "671.0 G");
  EXPECT_EQ(FormatCount(256), "256");
  EXPECT_EQ(FormatPercent(0.0423), "4.2 %");
}

TEST(Quantity, FormatRoundsBeforeItCountsDigits) {
  EXPECT_EQ(Format(Microseconds(9.99961)), "10.00 us");
  EXPECT_EQ(Format(Microseconds(99.9961)), "100.0 us");
  EXPECT_EQ(Format(Microseconds(999.961)), "1.000 ms");
  EXPECT_EQ(Format(Seconds(999.961)), "1000 s");
}

}  // namespace
}  // namespace pipescope
