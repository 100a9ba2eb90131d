// Rows by letters against rows through the real exchange, to the bit, for choices drawn at random.
#include "kernels/transformer/letter_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "kernels/transformer/exchange_rows.h"

namespace pipescope::transformer {
namespace {

using testing::HasSubstr;

// Letters between threads.
struct Boxes {
  std::mutex mutex;
  std::condition_variable came;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> letters;  // (from, to)
};

class ThreadLetters : public GroupLetters {
 public:
  ThreadLetters(Boxes& boxes, int place) : boxes_(boxes), place_(place) {}
  Status Send(int to, std::vector<char> letter) override {
    const std::lock_guard lock(boxes_.mutex);
    boxes_.letters[{place_, to}].push_back(std::move(letter));
    boxes_.came.notify_all();
    return {};
  }
  Result<std::vector<char>> Receive(int from) override {
    std::unique_lock lock(boxes_.mutex);
    auto& box = boxes_.letters[{from, place_}];
    boxes_.came.wait(lock, [&] { return !box.empty(); });
    auto letter = std::move(box.front());
    box.pop_front();
    return letter;
  }

 private:
  Boxes& boxes_;
  int place_;
};

// What one rank puts in: its tokens with their choices, and gradients of what comes out.
struct Input {
  std::vector<float> x, dy, weights;
  std::vector<int32_t> experts;
};

Input Draw(const ModelConfig& m, std::mt19937& engine) {
  std::normal_distribution<float> normal;
  Input input;
  for (int64_t i = 0; i < m.tokens * m.hidden; ++i) {
    input.x.push_back(normal(engine));
    input.dy.push_back(normal(engine));
  }
  std::vector<int32_t> all(static_cast<size_t>(m.routing.experts));
  for (size_t e = 0; e < all.size(); ++e) all[e] = static_cast<int32_t>(e);
  // A skewed rank: its tokens know only the first few experts, so that some group gets none.
  const bool skewed = engine() % 3 == 0;
  for (int64_t token = 0; token < m.tokens; ++token) {
    const auto end = all.begin() + (skewed ? m.routing.selected : m.routing.experts);
    std::shuffle(all.begin(), end, engine);
    for (int64_t k = 0; k < m.routing.selected; ++k) {
      input.experts.push_back(all[static_cast<size_t>(k)]);
      input.weights.push_back(std::abs(normal(engine)));
    }
    std::sort(all.begin(), all.end());
  }
  return input;
}

// All that one rank sees of a layer's forward and backward pass.
struct Seen {
  std::vector<Arrived> arrived;
  RowLists again;
  Combined forward, backward;
};

Seen Pass(ExpertCarrier& carrier, const Input& input) {
  const auto rows = carrier.Open();
  Seen seen;
  seen.arrived = rows->Dispatch(input.x, input.experts, input.weights);
  RowLists results, weights;
  for (const Arrived& from : seen.arrived) {
    auto& result = results.emplace_back(from.rows);
    for (float& value : result) value *= 1.1F;  // no BF16 any more
    weights.push_back(from.weights);
  }
  seen.forward = rows->Combine(results, {});
  seen.again = rows->DispatchAgain(input.dy);
  seen.backward = rows->Combine(seen.again, weights);
  return seen;
}

template <class Carrier>
std::vector<Seen> PassAll(const std::vector<Input>& inputs, const Carrier& carrier_of) {
  std::vector<Seen> seen(inputs.size());
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < inputs.size(); ++rank) {
    threads.emplace_back([&, rank] {
      const auto carrier = carrier_of(static_cast<int>(rank));
      seen[rank] = Pass(*carrier, inputs[rank]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return seen;
}

void ExpectSame(const Seen& got, const Seen& expected) {
  ASSERT_EQ(got.arrived.size(), expected.arrived.size());
  for (size_t home = 0; home < got.arrived.size(); ++home) {
    EXPECT_EQ(got.arrived[home].group, expected.arrived[home].group);
    EXPECT_EQ(got.arrived[home].rows, expected.arrived[home].rows);
    EXPECT_EQ(got.arrived[home].experts, expected.arrived[home].experts);
    EXPECT_EQ(got.arrived[home].weights, expected.arrived[home].weights);
  }
  EXPECT_EQ(got.again, expected.again);
  EXPECT_EQ(got.forward.values, expected.forward.values);
  EXPECT_EQ(got.backward.values, expected.backward.values);
  EXPECT_EQ(got.backward.weights, expected.backward.weights);
}

ModelConfig Micro(int groups) {
  ModelConfig model = FindModel("micro").value();
  model.expert_groups = groups;
  return model;
}

TEST(LetterRows, EqualTheRealExchange) {
  std::mt19937 engine(7);
  size_t empty = 0;
  for (int round = 0; round < 60; ++round) {
    const int groups = 2 << round % 3;
    ModelConfig model = Micro(groups);
    model.tokens = 1 + static_cast<int64_t>(engine() % 24);
    model.routing.selected = 1 + static_cast<int64_t>(engine() % 4);
    std::vector<Input> inputs;
    for (int rank = 0; rank < groups; ++rank) inputs.push_back(Draw(model, engine));
    const std::shared_ptr<kernels::exchange::CpuGroup> group = MakeGroup(model).value();
    const auto expected = PassAll(
        inputs, [&](int rank) { return std::make_unique<OverExchange>(model, group, rank); });
    Boxes boxes;
    const auto got = PassAll(inputs, [&](int rank) {
      return std::make_unique<OverLetters>(model, std::make_unique<ThreadLetters>(boxes, rank),
                                           rank);
    });
    for (size_t rank = 0; rank < got.size(); ++rank) {
      SCOPED_TRACE(testing::Message() << "round " << round << ", rank " << rank);
      ExpectSame(got[rank], expected[rank]);
      for (const Arrived& from : got[rank].arrived) empty += from.rows.empty() ? 1 : 0;
    }
    for (const auto& [way, left] : boxes.letters) EXPECT_TRUE(left.empty());
  }
  EXPECT_GT(empty, 0u);  // letters without rows were among them
}

TEST(LetterRows, ALetterOfTheWrongSizeIsSaid) {
  const ModelConfig model = Micro(2);
  std::mt19937 engine(1);
  const Input input = Draw(model, engine);
  Boxes boxes;
  ASSERT_TRUE(ThreadLetters(boxes, 1).Send(0, std::vector<char>(81)));
  OverLetters carrier(model, std::make_unique<ThreadLetters>(boxes, 0), 0);
  try {
    carrier.Open()->Dispatch(input.x, input.experts, input.weights);
    FAIL();
  } catch (const std::runtime_error& e) {
    // hidden 32, 2 experts a token: 2 x 32 + 8 x 2
    EXPECT_THAT(e.what(), HasSubstr("81 bytes came from place 1 of the group of experts: expected "
                                    "1 rows of 80"));
  }
}

}  // namespace
}  // namespace pipescope::transformer
