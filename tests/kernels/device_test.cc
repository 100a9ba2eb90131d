#include "kernels/device.h"

#include <gtest/gtest.h>

namespace pipescope::kernels {
namespace {

TEST(Device, SaysWhyThereIsNone) {
  const DeviceInfo info = QueryDevice();
  EXPECT_EQ(info.usable, info.note.empty()) << info.note;
  if (info.compiled_in) {
    EXPECT_GE(info.runtime_version, 12000);
  } else {
    EXPECT_EQ(info.note, "built without CUDA");
  }
}

TEST(Device, IsDescribedWhereThereIsOne) {
  const DeviceInfo info = QueryDevice();
  if (!info.usable) GTEST_SKIP() << info.note;
  EXPECT_FALSE(info.name.empty());
  EXPECT_GT(info.sms, 0);
  EXPECT_GT(info.memory_bytes, 0);
  EXPECT_GE(info.driver_version, info.runtime_version / 1000 * 1000);
}

}  // namespace
}  // namespace pipescope::kernels
