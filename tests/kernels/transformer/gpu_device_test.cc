// What of ranks on GPUs needs none: how SMs are divided, how memory is handed out, what is refused.
#include "kernels/transformer/device/gpu/gpu_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "kernels/device.h"
#include "kernels/transformer/device/gpu/gpu_plan.h"
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

TEST(GpuPlan, NeighboursShareAGpuAndSharesAreEqual) {
  const auto plan = PlanGpus(8, 4, 0);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->gpus, 4);
  EXPECT_EQ(plan->shares, 2);
  EXPECT_EQ(plan->ranks[1].gpu, 0);
  EXPECT_EQ(plan->ranks[1].share, 1);
  EXPECT_EQ(plan->ranks[2].gpu, 1);
  const auto whole = PlanGpus(2, 8, 0);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->gpus, 2);
  EXPECT_EQ(whole->shares, 1);
}

// Whatever the numbers: no fewer on a GPU are possible, neighbours are on one or on neighbouring
// ones, none is used that has no rank, and each share has one rank.
TEST(GpuPlan, AsFewOnAGpuAsCanBe) {
  for (int ranks = 1; ranks <= 40; ++ranks) {
    for (int there = 1; there <= 12; ++there) {
      for (int limit = 0; limit <= there; ++limit) {
        const auto plan = PlanGpus(ranks, there, limit);
        ASSERT_TRUE(plan);
        const int usable = limit > 0 ? limit : there;
        EXPECT_LE(plan->gpus, usable);
        EXPECT_EQ(plan->shares, (ranks + std::min(usable, ranks) - 1) / std::min(usable, ranks));
        std::set<std::pair<int, int>> taken;
        std::set<int> gpus;
        int before = 0;
        for (const GpuPlace& place : plan->ranks) {
          EXPECT_TRUE(taken.insert({place.gpu, place.share}).second);
          EXPECT_LT(place.share, plan->shares);
          EXPECT_TRUE(place.gpu == before || place.gpu == before + 1);
          gpus.insert(before = place.gpu);
        }
        EXPECT_EQ(static_cast<int>(plan->ranks.size()), ranks);
        EXPECT_EQ(static_cast<int>(gpus.size()), plan->gpus);
      }
    }
  }
}

TEST(GpuPlan, WhatCannotBeIsRefused) {
  EXPECT_THAT(PlanGpus(2, 0, 0).error().ToString(), HasSubstr("no GPU"));
  EXPECT_THAT(PlanGpus(4, 2, 3).error().ToString(), HasSubstr("--gpus: '3': expected at most 2"));
  EXPECT_FALSE(PlanGpus(0, 2, 0));
}

TEST(GpuPlan, AProcessHasAGpuToItself) {
  EXPECT_EQ(PlanOwnGpu(3, 4, 8, 0).value(), 3);
  EXPECT_EQ(PlanOwnGpu(3, 4, 1, 0).value(), 0);  // the launcher shows it no other
  EXPECT_THAT(PlanOwnGpu(0, 4, 2, 0).error().ToString(),
              HasSubstr("4 processes on a machine with 2 GPUs"));
  EXPECT_FALSE(PlanOwnGpu(0, 4, 8, 2));
  EXPECT_FALSE(PlanOwnGpu(0, 1, 0, 0));
  EXPECT_TRUE(CheckOwnGpus({"GPU-0", "GPU-1", "GPU-2"}));
  EXPECT_THAT(CheckOwnGpus({"GPU-0", "GPU-1", "GPU-0"}).error().ToString(),
              HasSubstr("ranks 0 and 2 are processes on the same GPU, GPU-0"));
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
  const auto own = GpuDevice::MakeOwn({0, 2, 0, 8});
  ASSERT_FALSE(own);
  EXPECT_THAT(own.error().ToString(), HasSubstr("ranks on a GPU: "));
}

}  // namespace
}  // namespace pipescope::transformer::device
