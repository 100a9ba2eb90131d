// What is calibrated and what is left out of it.
#include "kernels/bench/held_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/bench/program.h"

namespace pipescope::kernels::bench {
namespace {

bool Holds(const std::vector<Shape>& shapes, const Shape& shape) {
  return std::find(shapes.begin(), shapes.end(), shape) != shapes.end();
}

std::pair<int64_t, int64_t> Range(const std::vector<Shape>& shapes, const std::string& name) {
  int64_t least = INT64_MAX, most = 0;
  for (const Shape& shape : shapes) {
    least = std::min(least, At(shape, name));
    most = std::max(most, At(shape, name));
  }
  return {least, most};
}

// The shapes that are equal but for the operation's sizes.
std::vector<Shape> GroupOf(const Op& op, const std::vector<Shape>& shapes, const Shape& of) {
  std::vector<Shape> group;
  for (const Shape& shape : shapes) {
    const bool same = std::all_of(of.begin(), of.end(), [&](const auto& number) {
      return At(shape, number.first) == number.second ||
             std::any_of(op.sizes.begin(), op.sizes.end(), [&](const Size& size) {
               return size.name == number.first || size.also == number.first;
             });
    });
    if (same) group.push_back(shape);
  }
  return group;
}

TEST(HeldOut, IsNeverCalibrated) {
  for (const Op& op : AllOps()) {
    const std::vector<Shape> calibrated = CalibratedShapes(op);
    for (const uint64_t seed : {1, 2, 3, 4, 5, 6, 7, 8}) {
      std::vector<Shape> seen;
      for (const HeldOut& held : HeldOutShapes(op, seed)) {
        EXPECT_FALSE(Holds(calibrated, held.shape)) << op.name << ": " << TextOf(held.shape);
        EXPECT_FALSE(Holds(seen, held.shape)) << op.name << ": " << TextOf(held.shape);
        seen.push_back(held.shape);
        // Nor does a profile tell them alike: bytes of other rows may be as many.
        const auto told = OperationOf(op, held.shape, 132);
        for (const Shape& shape : calibrated) {
          const auto other = OperationOf(op, shape, 132);
          EXPECT_FALSE(told.shape == other.shape && told.sms == other.sms)
              << op.name << ": " << TextOf(held.shape) << " and " << TextOf(shape);
        }
      }
    }
  }
}

TEST(HeldOut, EachSizeLiesBetweenAndOneBeyond) {
  for (const Op& op : AllOps()) {
    const auto held = HeldOutShapes(op, 1);
    EXPECT_EQ(held.empty(), op.sizes.empty() || op.shapes.empty()) << op.name;
    if (held.empty()) continue;
    const std::vector<Shape> calibrated = CalibratedShapes(op);
    bool beyond = false;
    for (const HeldOut& at : held) {
      beyond |= at.how.starts_with("beyond");
      for (const Size& size : op.sizes) {
        const auto [least, most] = Range(GroupOf(op, calibrated, at.shape), size.name);
        const int64_t value = At(at.shape, size.name);
        EXPECT_EQ(value % size.step, 0) << op.name;
        EXPECT_GE(value, least) << op.name;
        if (at.how == "beyond " + size.name) {
          EXPECT_GT(value, most) << op.name;
          EXPECT_LE(value, 2 * most) << op.name;
        } else if (at.how == "between " + size.name) {
          EXPECT_GT(value, least) << op.name;
          EXPECT_LT(value, most) << op.name;
        }
        EXPECT_EQ(At(at.shape, size.also.empty() ? size.name : size.also), value) << op.name;
      }
    }
    EXPECT_TRUE(beyond) << op.name;
    for (const Size& size : op.sizes) {
      const auto [least, most] = Range(calibrated, size.name);
      const bool room = most - least > size.step;
      const bool tried = std::any_of(held.begin(), held.end(), [&](const HeldOut& at) {
        return at.how == "between " + size.name;
      });
      EXPECT_TRUE(tried || !room) << op.name << ": " << size.name;
    }
  }
}

// Costs are read from every other kind, so that every such kernel is held against its prediction.
TEST(HeldOut, EveryKernelThatCostsAreReadFrom) {
  for (const Op& op : AllOps()) {
    const bool read = op.kind != measured::Kind::kOther && !op.shapes.empty();
    EXPECT_EQ(!op.sizes.empty() && !op.shapes.empty(), read) << op.name;
    EXPECT_TRUE(op.kind != measured::Kind::kMemory || op.bytes) << op.name;
  }
}

TEST(HeldOut, ASeedAndANameTellThem) {
  const std::vector<Op> ops = AllOps();
  std::set<std::string> shapes;
  for (const uint64_t seed : {1, 2, 3}) {
    for (const HeldOut& at : HeldOutShapes(ops.front(), seed)) shapes.insert(TextOf(at.shape));
    const auto one = HeldOutShapes(ops.front(), seed), again = HeldOutShapes(ops.front(), seed);
    ASSERT_EQ(one.size(), again.size());
    for (size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].shape, again[i].shape);
  }
  EXPECT_GT(shapes.size(), 6u);
}

TEST(HeldOut, SmsToo) {
  const auto calibrated = CalibratedSms();
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    const auto held = HeldOutSms(seed);
    EXPECT_EQ(held.size(), 3u);
    for (const int sms : held) {
      EXPECT_EQ(std::count(calibrated.begin(), calibrated.end(), sms), 0) << sms;
      EXPECT_GT(sms, 2);
      EXPECT_LT(sms, 32);
    }
  }
}

// The bytes that a prediction is made from are those that the benchmark counts later.
TEST(HeldOut, BytesAreKnownBefore) {
  int tried = 0;
  for (const Op& op : AllOps()) {
    const bool small = op.name == "permute" || op.name == "rope" || op.name == "router" ||
                       op.name == "unpermute_fast" || op.name == "fp8_quantize_tiles";
    if (op.device != Device::kCpu || !small) continue;
    const auto trial = op.trial(CalibratedShapes(op)[1], 0);
    ASSERT_TRUE(trial) << op.name;
    EXPECT_EQ(trial->bytes, op.bytes(CalibratedShapes(op)[1])) << op.name;
    ++tried;
  }
  EXPECT_EQ(tried, 5);
}

TEST(HeldOut, AProfileTellsWhichShapeItWas) {
  const auto report = RunHeldOut({.kernel = "rms_norm_fast", .seed = 3}, [](const auto&) {});
  ASSERT_TRUE(report);
  const auto profile = ProfileOf(*report, "a test");
  ASSERT_EQ(profile.operations.size(), 4u);
  EXPECT_TRUE(profile.operations[0].source.starts_with("between rows: rows "));
  EXPECT_TRUE(profile.operations[2].source.starts_with("between all: "));
  EXPECT_TRUE(profile.operations[3].source.starts_with("beyond "));
}

}  // namespace
}  // namespace pipescope::kernels::bench
