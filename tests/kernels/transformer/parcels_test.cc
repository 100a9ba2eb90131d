// Blocks between the devices of two processes, both played here: their wire is memory.
#include "kernels/transformer/device/parcels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <future>

#include "kernels/executor/agree.h"
#include "kernels/executor/threads.h"
#include "kernels/transformer/device/apart.h"
#include "kernels/transformer/device/emulated_queue.h"
#include "kernels/transformer/device/emulation.h"
#include "schedules/registry.h"

namespace pipescope::transformer::device {
namespace {

using testing::HasSubstr;

// Letters between two ranks.
struct Mail {
  struct Letter {
    int tag;
    std::vector<char> bytes;
  };
  std::mutex mutex;
  std::deque<Letter> to[2];
};

class MemoryWire : public executor::Wire {
 public:
  MemoryWire(Mail& mail, int rank) : mail_(mail), rank_(rank) {}
  int rank() const override { return rank_; }
  int ranks() const override { return 2; }
  int largest_tag() const override { return 1 << 20; }
  const char* Send(int to, int tag, std::shared_ptr<const void> data, size_t bytes) override {
    const auto* from = static_cast<const char*>(data.get());
    const std::lock_guard lock(mail_.mutex);
    mail_.to[to].push_back({tag, std::vector<char>(from, from + bytes)});
    return nullptr;
  }
  const char* Poll(Sink& sink) override {
    while (true) {
      Mail::Letter letter;
      {
        const std::lock_guard lock(mail_.mutex);
        if (mail_.to[rank_].empty()) return nullptr;
        letter = std::move(mail_.to[rank_].front());
        mail_.to[rank_].pop_front();
      }
      const Arrival arrival{1 - rank_, letter.tag, letter.bytes.size()};
      void* const room = sink.Room(arrival);
      if (!letter.bytes.empty()) std::memcpy(room, letter.bytes.data(), letter.bytes.size());
      sink.Arrived(arrival, room);
    }
  }
  std::set<int> sending_to() const override { return {}; }

 private:
  Mail& mail_;
  const int rank_;
};

// One of the two processes.
struct Side {
  Side(Mail& mail, int rank)
      : post(std::make_unique<MemoryWire>(mail, rank), stop, false),
        device(*emulation.Open(rank)),
        links(post, [this](const LinkName& name, executor::Post& of) {
          return emulation.OpenLink(name, of);
        }) {
    EXPECT_TRUE(links.Connect(LinksAmong({0, 1}, LinkLane::kCompute)));
    parcels = std::make_unique<Parcels>(post, links, LinkLane::kCompute, *device.memory);
    pool = std::make_shared<Pool>(*device.memory);
  }

  Block Of(int64_t count, char value) {
    Block block = pool->Allocate(count, *device.compute);
    const std::vector<char> values(static_cast<size_t>(count), value);
    device.compute->Upload(block->as<void>(), values.data(), count);
    return block;
  }
  Status Send(const std::string& name, const Block& block, int64_t bytes) {
    return parcels->Send(1 - post.rank(), name, block, bytes, device.compute->Record());
  }
  std::string Take(const std::string& name) {
    const auto parcel = parcels->Take(1 - post.rank(), name);
    if (!parcel) return parcel.error().ToString();
    std::string values(static_cast<size_t>(parcel->bytes), ' ');
    device.compute->Wait(parcel->ready);
    device.compute->Download(values.data(), parcel->block->as<void>(), parcel->bytes);
    parcel->block->pool->AddGuard(parcel->block, device.compute->Record());
    EXPECT_TRUE(device.compute->Finish());
    return values;
  }

  executor::Stop stop;
  executor::Post post;
  Emulation emulation{{.jitter = 11}};
  RankDevice device;
  Links links;
  std::unique_ptr<Parcels> parcels;
  std::shared_ptr<Pool> pool;
};

class ParcelsTest : public testing::Test {
 protected:
  Mail mail_;
  Side giver_{mail_, 0}, taker_{mail_, 1};
};

// Whatever the order of asking: the link's order is that of sending.
TEST_F(ParcelsTest, AreTakenInAnyOrder) {
  for (int round = 0; round < 20; ++round) {
    for (const char name : {'a', 'b', 'c'}) {
      ASSERT_TRUE(giver_.Send({name}, giver_.Of(1000, name), 1000));
    }
    for (const char name : {'c', 'a', 'b'}) {
      EXPECT_EQ(taker_.Take({name}), std::string(1000, name));
    }
    EXPECT_TRUE(giver_.parcels->Finish());
    EXPECT_TRUE(taker_.parcels->Finish());
  }
}

TEST_F(ParcelsTest, OfOneNameComeInTheOrderOfSending) {
  ASSERT_TRUE(giver_.Send("sum", giver_.Of(8, 'x'), 8));
  ASSERT_TRUE(giver_.Send("sum", giver_.Of(16, 'y'), 16));
  EXPECT_EQ(taker_.Take("sum"), "xxxxxxxx");
  EXPECT_EQ(taker_.Take("sum"), "yyyyyyyyyyyyyyyy");
}

TEST_F(ParcelsTest, BothWaysAtOnce) {
  ASSERT_TRUE(giver_.Send("there", giver_.Of(1 << 20, 't'), 1 << 20));
  ASSERT_TRUE(taker_.Send("back", taker_.Of(1 << 20, 'b'), 1 << 20));
  EXPECT_EQ(taker_.Take("there"), std::string(1 << 20, 't'));
  EXPECT_EQ(giver_.Take("back"), std::string(1 << 20, 'b'));
}

// An event of the test's.
class Gate : public WorkThread {
 public:
  Gate() : WorkThread(0) {
    Put([open = open_.get_future().share()] { open.wait(); });
    event_ = Record();
  }
  void Open() { open_.set_value(); }
  const EventPtr& event() const { return event_; }

 private:
  std::promise<void> open_;
  EventPtr event_;
};

// The pool of who gives has its memory back once it has left, and not before; nothing waits for it.
TEST_F(ParcelsTest, ABlockIsHeldUntilItIsSent) {
  Gate gate;
  Block block = giver_.Of(1000, 'h');
  const void* const data = block->data;
  ASSERT_TRUE(giver_.parcels->Send(1, "late", block, 1000, gate.event()));
  block.reset();
  giver_.pool->NextAction();
  EXPECT_NE(giver_.Of(1000, 'n')->data, data);
  EXPECT_TRUE(giver_.device.compute->Finish());
  gate.Open();
  EXPECT_EQ(taker_.Take("late"), std::string(1000, 'h'));
  EXPECT_TRUE(giver_.parcels->Finish());
  giver_.pool->NextAction();
  const Block one = giver_.Of(1000, '1'), two = giver_.Of(1000, '2');
  EXPECT_TRUE(one->data == data || two->data == data);
  EXPECT_TRUE(giver_.device.compute->Finish());
}

TEST_F(ParcelsTest, WhoWaitsForAFailedJobFails) {
  taker_.stop.Fail("rank 0 is gone");
  EXPECT_THAT(taker_.Take("never"), HasSubstr("stopped"));
}

TEST(Whereabouts, LinksAreBetweenRanksOfStagesThatFollowOneAnother) {
  const auto schedule = schedules::Generate("1f1b", {3, 4}).value();
  const Whereabouts whereabouts(schedule);
  EXPECT_EQ(whereabouts.RankOf(2, 3), 2);
  std::set<LinkName> expected = LinksAmong({0, 1}, LinkLane::kCompute);
  expected.merge(LinksAmong({1, 2}, LinkLane::kCompute));
  EXPECT_EQ(whereabouts.Links(), expected);
}

// The second half of DualPipe's micro-batches has stage 0 on the last rank; of two pipelines the
// second one's have it on its own first rank.
TEST(Whereabouts, DependOnTheMicrobatch) {
  const auto dualpipe = schedules::Generate("dualpipe", {4, 8}).value();
  const Whereabouts both(dualpipe);
  EXPECT_EQ(both.RankOf(0, 0), 0);
  EXPECT_EQ(both.RankOf(0, 7), 3);
  const Whereabouts two(Replicate(schedules::Generate("1f1b", {2, 4}).value(), 2));
  EXPECT_EQ(two.RankOf(1, 3), 1);
  EXPECT_EQ(two.RankOf(0, 4), 2);
  EXPECT_FALSE(two.Links().contains({1, 2, LinkLane::kCompute}));
}

TEST(Agree, TellsTheFirstErrorOrWhatTheLeaderSays) {
  executor::ThreadCrew crew;
  const auto well = [](const std::vector<std::string>&) { return Status(); };
  const auto refuse = [](const std::vector<std::string>& all) -> Status { return Fail(all[0]); };
  EXPECT_TRUE(executor::Agree(crew, std::string("a GPU"), well));
  EXPECT_TRUE(executor::Agree(crew, std::string(), well));
  EXPECT_EQ(executor::Agree(crew, std::string("taken"), refuse).error().message, "taken");
  EXPECT_EQ(executor::Agree(crew, Fail("no GPU"), well).error().message, "rank 0: no GPU");
}

}  // namespace
}  // namespace pipescope::transformer::device
