// Device code that moves arrays between formats and places, run by threads of the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/train/device/arrays.h"
#include "tests/kernels/train_device_testing.h"

namespace pipescope::kernels {
namespace {

// Three rows of 16 columns, each to two heads, into columns 8 to 24 of rows of 40.
TEST(DeviceArrays, ColumnsGoToEachHead) {
  const auto x = Draw(3 * 32, 1);
  const auto xs = As<Bf16>(x);
  for (const int lanes : kLanes) {
    auto y = Poisoned<Bf16>(6 * 40);
    ForRows(lanes, 6, [&](ThreadBlock& block, int64_t r) {
      device::MoveColumnsRow(block, xs.data() + 8, y.data() + 8, r, 16, 32, 40, 2);
    });
    for (size_t r = 0; r < 6; ++r) {
      for (size_t c = 0; c < 40; ++c) {
        const float value = device::Load(y[r * 40 + c]);
        if (c < 8 || c >= 24) {
          EXPECT_TRUE(std::isnan(value)) << r << " " << c;
        } else {
          EXPECT_EQ(value, x[r / 2 * 32 + c]) << r << " " << c;
        }
      }
    }
  }
}

TEST(DeviceArrays, FormatsRoundToTheNearest) {
  std::vector<float> x = {1.0F, 1.00390625F, 1.01171875F, -0.0F, 3e38F, 1e-40F, 0.1F, -7.3F};
  auto narrow = Poisoned<Bf16>(8);
  device::NarrowEight(x.data(), narrow.data(), 0);
  std::vector<float> wide(8, NAN);
  device::WidenEight(narrow.data(), wide.data(), 0);
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(wide[i], DecodeBf16(EncodeBf16(x[i])));
    EXPECT_EQ(device::RoundedToBf16(x[i]), wide[i]);
  }
  EXPECT_EQ(wide[1], 1.0F);  // ties go to the even one
  EXPECT_EQ(wide[2], 1.015625F);
}

TEST(DeviceArrays, FloatsByNumber) {
  const std::vector<float> x = {10, 11, 12};
  const std::vector<int64_t> numbers = {2, -1, 0};
  std::vector<float> y(3, NAN), z(3, -1);
  for (int64_t i = 0; i < 3; ++i) device::GatherFloat(x.data(), numbers.data(), y.data(), i);
  EXPECT_EQ(y, (std::vector<float>{12, 0, 10}));
  for (int64_t i = 0; i < 3; ++i) device::ScatterFloat(x.data(), numbers.data(), z.data(), i);
  EXPECT_EQ(z, (std::vector<float>{12, -1, 10}));
}

// In any order and split over any copies, to the bit.
TEST(DeviceArrays, SumsDoNotDependOnTheirOrder) {
  std::vector<std::vector<float>> gradients;
  for (uint32_t i = 0; i < 7; ++i) gradients.push_back(Draw(8, i, i == 3 ? 1e-9F : 10));
  const auto sum_of = [&](std::vector<size_t> order) {
    std::vector<double> sum(8);
    for (const size_t i : order) {
      for (int64_t at : {0, 4}) device::AddFourToSum(gradients[i].data(), sum.data(), at);
    }
    return sum;
  };
  const auto all = sum_of({0, 1, 2, 3, 4, 5, 6}), back = sum_of({6, 5, 4, 3, 2, 1, 0});
  EXPECT_EQ(all, back);
  const auto first = sum_of({5, 1}), second = sum_of({0, 2, 6, 4, 3});
  const double* copies[2] = {first.data(), second.data()};
  int32_t inexact = 0;
  for (int64_t i = 0; i < 8; ++i) {
    float gradient = NAN;
    std::vector<float> to(8);
    device::AddSumsOf(copies, 2, to.data(), &inexact, i);
    gradient = to[static_cast<size_t>(i)];
    EXPECT_EQ(gradient, static_cast<float>(all[static_cast<size_t>(i)]));
  }
  EXPECT_EQ(inexact, 0);
}

TEST(DeviceArrays, SumsThatMayDependOnTheirOrderAreTold) {
  for (const double bad : {512.0, std::nan("")}) {
    const double fine = -1;
    const double* copies[2] = {&fine, &bad};
    int32_t inexact = 0;
    float gradient = 0;
    device::AddSumsOf(copies, 2, &gradient, &inexact, 0);
    EXPECT_EQ(inexact, 1) << bad;
  }
}

}  // namespace
}  // namespace pipescope::kernels
