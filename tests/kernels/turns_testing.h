// What tests of turns share.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <vector>

namespace pipescope::kernels {

// Processors that the test may use, by number.
inline std::vector<int> Here() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  std::vector<int> processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) processors.push_back(i);
  }
  return processors;
}

}  // namespace pipescope::kernels
