// What of ranks on GPUs needs none: how SMs are divided, how memory is handed out, what is refused.
#include "kernels/transformer/device/gpu/gpu_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/device.h"
#include "kernels/transformer/device/gpu/sm_plan.h"
#include "kernels/transformer/device/pool.h"

namespace pipescope::transformer::device {
namespace {

using testing::HasSubstr;

TEST(SmPlan, AnH200AmongFourRanks) {
  const auto plan = PlanSms({132, 8, 8}, 4, 8);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->unit, 8);
  EXPECT_EQ(plan->compute_sms(), 24);
  EXPECT_EQ(plan->communication_sms(), 8);
  EXPECT_EQ(plan->units(), 16);
}

TEST(SmPlan, WithoutSmsOfItsOwnCommunicationSharesTheRanks) {
  const auto plan = PlanSms({132, 8, 8}, 4, 0);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->compute_sms(), 32);
  EXPECT_EQ(plan->communication_sms(), 32);
}

TEST(SmPlan, TooManyRanksAreRefusedWithTheMostThatFit) {
  const auto none = PlanSms({132, 8, 8}, 9, 8);
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().ToString(), HasSubstr("9 ranks on a GPU of 132 SMs"));
  EXPECT_THAT(none.error().ToString(), HasSubstr("at most 8 ranks"));
  EXPECT_TRUE(PlanSms({132, 8, 8}, 8, 8));
  EXPECT_FALSE(PlanSms({132, 8, 8}, 0, 8));
  EXPECT_FALSE(PlanSms({132, 8, 8}, 2, -1));
}

// Whatever the GPU: what ranks get are units, no more than there are, and another would not fit.
TEST(SmPlan, SharesAreUnitsAndFit) {
  for (int sms = 8; sms <= 160; ++sms) {
    for (const int least : {2, 4, 8}) {
      for (const int multiple : {1, 2, 8}) {
        for (int ranks = 1; ranks <= 20; ++ranks) {
          for (const int communication : {0, 1, 8, 20}) {
            const auto plan = PlanSms({sms, least, multiple}, ranks, communication);
            if (!plan) continue;
            EXPECT_EQ(plan->unit % multiple, 0);
            EXPECT_GE(plan->unit, least);
            EXPECT_LE(plan->units() * plan->unit, sms);
            EXPECT_GT((plan->units() + ranks) * plan->unit, sms);
            EXPECT_GE(plan->communication_sms(), communication);
            EXPECT_GE(plan->compute_sms(), plan->unit);
          }
        }
      }
    }
  }
}

// A queue that only counts what it is told to wait for.
class Counted : public Queue {
 public:
  EventPtr Record() override { return nullptr; }
  void Wait(const EventPtr&) override { ++waits; }
  Status Finish() override { return {}; }
  int waits = 0;
};

class Heap : public Memory {
 public:
  Result<void*> Allocate(int64_t bytes) override {
    ++held;
    return std::malloc(static_cast<size_t>(bytes));
  }
  void Free(void* data) override {
    --held;
    std::free(data);
  }
  int held = 0;
};

TEST(Pool, ABlockIsFreeInTheNextActionAndWaitsForItsGuards) {
  Heap heap;
  Counted queue;
  {
    const auto pool = std::make_shared<Pool>(heap);
    Block first = pool->Allocate(1000, queue);
    void* const data = first->data;
    pool->AddGuard(first, nullptr);
    first.reset();
    EXPECT_NE(pool->Allocate(1000, queue)->data, data);  // the same action
    EXPECT_EQ(queue.waits, 0);
    pool->NextAction();
    const Block one = pool->Allocate(1000, queue), two = pool->Allocate(1000, queue);
    EXPECT_TRUE(one->data == data || two->data == data);
    EXPECT_EQ(queue.waits, 1);
    EXPECT_EQ(heap.held, 2);
    EXPECT_EQ(pool->peak_bytes(), 2048);
  }
  EXPECT_EQ(heap.held, 0);
}

TEST(Pool, AtMostAnEighthIsLost) {
  for (int64_t bytes = 1; bytes < 100'000; bytes += 37) {
    const int64_t size = RoundedSize(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_EQ(size % 128, 0);
    if (bytes > 1024) {
      EXPECT_LT(size, bytes + bytes / 8 + 1);
    }
    EXPECT_EQ(RoundedSize(size), size);
  }
  EXPECT_EQ(RoundedSize(1000), 1024);
  EXPECT_EQ(RoundedSize(1100), 1152);
}

// With a GPU this would make contexts on it: that is gpu_session.sh's.
TEST(GpuDevice, WithoutAGpuItSaysSo) {
  if (kernels::QueryDevice().usable) GTEST_SKIP() << "there is a GPU";
  const auto none = GpuDevice::Make({2, 1, 8});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().ToString(), HasSubstr("ranks on a GPU: "));
}

}  // namespace
}  // namespace pipescope::transformer::device
