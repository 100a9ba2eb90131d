// A job of several processes, its ranks as threads that meet over TCP and play the truth's part:
// what is agreed on, compared, timed, and said where one rank is wrong.
#include <barrier>
#include <thread>

#include "kernels/exchange/nodes.h"
#include "kernels/exchange/socket.h"
#include "kernels/exchange/truth.h"
#include "tests/kernels/exchange_testing.h"

namespace pipescope::kernels::exchange {
namespace {

// What the ranks of one job lay down for each other.
struct Table {
  explicit Table(const Config& config)
      : g(config),
        meeting(config.ranks()),
        inputs(static_cast<size_t>(config.ranks())),
        results(inputs.size()) {}
  const Config g;
  std::barrier<> meeting;
  std::vector<DispatchInput> inputs;
  std::vector<CombineInput> results;
};

class TruthRank : public NcclRank {
 public:
  TruthRank(Table& table, int rank, int wrong) : table_(table), rank_(rank), wrong_(wrong) {}

  Result<DispatchOutput> Dispatch(const DispatchInput& input) override {
    Lay(table_.inputs, input);
    auto out = DispatchTruth(table_.g, table_.inputs)[Own()];
    table_.meeting.arrive_and_wait();
    if (rank_ == wrong_ && !out.values.empty()) out.values.back() ^= std::byte{1};
    return out;
  }
  Result<DispatchOutput> DispatchAgain(const DispatchInput& input) override {
    auto out = Dispatch(input);
    out->experts.clear();
    out->weights.clear();
    return out;
  }
  Result<CombineOutput> Combine(const CombineInput& input, bool weights) override {
    Lay(table_.results, input);
    auto out = CombineTruth(table_.g, table_.inputs, table_.results, weights)[Own()];
    table_.meeting.arrive_and_wait();
    return out;
  }
  // The later ranks are the slower ones, and the first run does not count.
  Result<std::vector<double>> Seconds(Part part, int runs) override {
    std::vector<double> seconds(static_cast<size_t>(runs),
                                (part == Part::kDispatch ? 1e-3 : 2e-3) * (rank_ + 1));
    seconds[0] = 1;
    return seconds;
  }

 private:
  size_t Own() const { return static_cast<size_t>(rank_); }
  template <class T>
  void Lay(std::vector<T>& all, const T& own) {
    all[Own()] = own;
    table_.meeting.arrive_and_wait();
  }

  Table& table_;
  const int rank_, wrong_;
};

// Most likely free for as long as the test takes.
std::string FreePort() {
  const auto listener = Socket::Listen(0);
  return "127.0.0.1:" + std::to_string(*listener->Port());
}

struct Job {
  Config config;
  int wrong = -1;    // whose rows differ
  int without = -1;  // who has no library
};

std::vector<Result<NodesResult>> RunJob(const Job& job) {
  Table table(job.config);
  const std::string where = FreePort();
  std::vector<Result<NodesResult>> results(static_cast<size_t>(job.config.ranks()));
  std::vector<std::thread> threads;
  for (int r = 0; r < job.config.ranks(); ++r) {
    threads.emplace_back([&, r] {
      auto& result = results[static_cast<size_t>(r)];
      auto meeting = Meeting::Open(where, r, job.config.ranks(), Seconds(30));
      if (!meeting) {
        result = Fail(meeting.error());
        return;
      }
      const RankMaker maker = {[&, r]() -> Result<NcclId> {
                                 if (r == job.without) return Fail("NCCL: not found");
                                 NcclId id;
                                 id.fill(static_cast<char>(r));
                                 return id;
                               },
                               [&](const NodesRequest&, const Place& place,
                                   const NcclId& id) -> Result<std::unique_ptr<NcclRank>> {
                                 if (id[127] != 0) return Fail("an id that is not rank 0's");
                                 return std::make_unique<TruthRank>(table, place.rank, job.wrong);
                               }};
      const Place place = {r, job.config.ranks(), job.config.LocalOf(r), job.config.locals, "test"};
      result = RunOverNodes({.config = job.config, .runs = 3}, place, **meeting, maker);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return results;
}

TEST(Nodes, AllRanksAgreeOnWhatIsRight) {
  const Config g = Small(2, 2);
  for (const auto& result : RunJob({g})) {
    ASSERT_TRUE(result) << result.error().ToString();
    EXPECT_EQ(result->routings, static_cast<int>(std::size(kRoutings)));
    EXPECT_EQ(result->dispatch.time, Milliseconds(4));  // the slowest of four
    EXPECT_EQ(result->combine.time, Milliseconds(8));
    EXPECT_GT(result->dispatch.rdma.value(), 0);
    const std::string text = TextOf({.config = g}, *result);
    EXPECT_NE(text.find("2 nodes of 2"), std::string::npos) << text;
    EXPECT_NE(text.find("4000.0 us"), std::string::npos) << text;
  }
}

TEST(Nodes, AWrongByteIsFoundAndItsRankNamed) {
  for (const auto& result : RunJob({Small(1, 3), 1})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message.find("rank 1: uniform: dispatch: rank 1: values["), 0u)
        << result.error().message;
  }
}

TEST(Nodes, ALibraryThatIsMissingSomewhereEndsItEverywhere) {
  for (const auto& result : RunJob({Small(2, 1), -1, 1})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "rank 1: NCCL: not found");
  }
}

TEST(Nodes, SizesThatCannotBeAreSaidFirst) {
  Config g = Small(1, 2);
  g.experts = 3;
  for (const auto& result : RunJob({g})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message.find("rank 0: experts: 3"), 0u) << result.error().message;
  }
}

}  // namespace
}  // namespace pipescope::kernels::exchange
