// The training operations on a GPU, where there is one, against the truth.
#include <gtest/gtest.h>

#include "kernels/device.h"
#include "kernels/train/cuda/train_check.h"

namespace pipescope::kernels {
namespace {

TEST(TrainOnGpu, EqualsTheTruth) {
  const DeviceInfo device = QueryDevice();
  if (!device.usable) GTEST_SKIP() << device.note;
  for (const uint32_t seed : {1U, 2U, 3U}) {
    const auto checks = cuda::CheckTrainOnGpu(seed);
    ASSERT_TRUE(checks) << checks.error().ToString();
    EXPECT_EQ(checks->size(), 49u);
    for (const cuda::TrainCheck& check : *checks) {
      EXPECT_TRUE(check.right()) << check.operation << ": " << check.difference;
    }
  }
}

TEST(TrainOnGpu, SaysWhyThereIsNone) {
  if (QueryDevice().usable) GTEST_SKIP() << "there is a GPU";
  const auto checks = cuda::CheckTrainOnGpu(1);
  ASSERT_FALSE(checks);
  EXPECT_FALSE(checks.error().message.empty());
}

}  // namespace
}  // namespace pipescope::kernels
