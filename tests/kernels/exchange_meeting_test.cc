// How processes find each other: their places, and meetings over TCP with ranks that come, do not
// come, come twice, fail, and leave.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "kernels/exchange/meeting.h"
#include "kernels/exchange/place.h"
#include "kernels/exchange/socket.h"

namespace pipescope::kernels::exchange {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Place> PlaceIn(const Variables& set) {
  return PlaceOf([&](const char* name) -> const char* {
    const auto found = set.find(name);
    return found == set.end() ? nullptr : found->second.c_str();
  });
}

TEST(Place, IsReadFromWhatStartedTheProcess) {
  const auto open_mpi = PlaceIn({{"OMPI_COMM_WORLD_RANK", "9"},
                                 {"OMPI_COMM_WORLD_SIZE", "16"},
                                 {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                 {"OMPI_COMM_WORLD_LOCAL_SIZE", "8"}});
  ASSERT_TRUE(open_mpi) << open_mpi.error().ToString();
  EXPECT_EQ(open_mpi->rank, 9);
  EXPECT_EQ(open_mpi->nodes(), 2);
  EXPECT_EQ(open_mpi->launcher, "Open MPI");
  const auto slurm = PlaceIn({{"SLURM_PROCID", "3"},
                              {"SLURM_NTASKS", "8"},
                              {"SLURM_LOCALID", "3"},
                              {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"}});
  ASSERT_TRUE(slurm) << slurm.error().ToString();
  EXPECT_EQ(slurm->locals, 4);
}

TEST(Place, WhatCannotBeIsSaid) {
  const Variables right = {
      {"RANK", "1"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "2"}};
  EXPECT_TRUE(PlaceIn(right));
  const auto said = [&](const char* name, const char* value) {
    auto wrong = right;
    wrong[name] = value;
    const auto place = PlaceIn(wrong);
    return place ? "" : place.error().message;
  };
  EXPECT_EQ(said("RANK", "4"), "RANK: '4': expected a number from 0 to 3, the same on every node");
  EXPECT_NE(said("RANK", "x"), "");
  EXPECT_NE(said("RANK", "1x"), "");
  EXPECT_NE(said("LOCAL_WORLD_SIZE", "3(x1),1"), "");
  EXPECT_NE(said("LOCAL_RANK", "0"), "");  // rank 1 of nodes of two is local rank 1
  EXPECT_NE(said("WORLD_SIZE", "99999999999999"), "");
  auto missing = right;
  missing.erase("WORLD_SIZE");
  EXPECT_EQ(PlaceIn(missing).error().message,
            "WORLD_SIZE: is not set, though RANK is: expected torchrun's environment");
  EXPECT_FALSE(PlaceIn({}));
}

// A port that nothing listens on, most likely for as long as the test takes.
std::string FreePort() {
  const auto listener = Socket::Listen(0);
  return "127.0.0.1:" + std::to_string(*listener->Port());
}

// What each rank that takes part says, "" where all went well.
template <class Body>
std::vector<std::string> Meet(const std::string& where, int ranks, const std::vector<int>& come,
                              Duration patience, const Body& body) {
  std::vector<std::string> said(come.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < come.size(); ++i) {
    threads.emplace_back([&, i] {
      auto meeting = Meeting::Open(where, come[i], ranks, patience);
      const Status ok = meeting ? body(**meeting, come[i]) : Status(Fail(meeting.error()));
      if (!ok) said[i] = ok.error().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return said;
}

Status Talk(Meeting& meeting, int rank) {
  const auto id = meeting.Share(rank == 0 ? std::string("\0an id", 6) : "not this");
  if (!id) return Fail(id.error());
  if (*id != std::string("\0an id", 6)) return Fail("not rank 0's");
  const auto all = meeting.Collect(std::string(static_cast<size_t>(rank) * 100'000, 'x'));
  if (!all) return Fail(all.error());
  for (size_t r = 0; r < all->size(); ++r) {
    if ((*all)[r].size() != r * 100'000) return Fail("a message is wrong");
  }
  return meeting.Agree({});
}

TEST(Meeting, AllHearRankZeroAndEachOther) {
  for (const std::string& where : {FreePort(), testing::TempDir() + "/meeting"}) {
    const auto said = Meet(where, 4, {0, 1, 2, 3}, Seconds(20), Talk);
    EXPECT_EQ(said, std::vector<std::string>(4)) << where;
  }
  EXPECT_FALSE(std::ifstream(testing::TempDir() + "/meeting"));
  EXPECT_EQ(Meet(FreePort(), 1, {0}, Seconds(5), Talk), std::vector<std::string>(1));
}

TEST(Meeting, AnOldFileIsNotBelieved) {
  const std::string path = testing::TempDir() + "/old_meeting";
  std::ofstream(path) << FreePort() << "\n";
  std::vector<std::string> said(2);
  std::thread late([&] { said[0] = Meet(path, 2, {1}, Seconds(20), Talk)[0]; });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  said[1] = Meet(path, 2, {0}, Seconds(20), Talk)[0];
  late.join();
  EXPECT_EQ(said, std::vector<std::string>(2));
}

TEST(Meeting, WhoDoesNotComeIsNamedToAll) {
  const auto begin = std::chrono::steady_clock::now();
  const auto said = Meet(FreePort(), 5, {0, 2, 4}, Milliseconds(400), Talk);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  for (const std::string& s : said) {
    EXPECT_NE(s.find("did not come: ranks 1, 3"), std::string::npos) << s;
  }
}

TEST(Meeting, WithoutRankZeroOthersGiveUp) {
  for (const std::string& where : {FreePort(), testing::TempDir() + "/nobody"}) {
    const auto said = Meet(where, 2, {1}, Milliseconds(200), Talk);
    EXPECT_NE(said[0], "") << where;
  }
}

TEST(Meeting, OneFailureFailsAll) {
  const auto said = Meet(FreePort(), 3, {0, 1, 2}, Seconds(20), [](Meeting& meeting, int rank) {
    return meeting.Agree(rank == 2 ? Status(Fail("no GPU")) : Status());
  });
  EXPECT_EQ(said, std::vector<std::string>(3, "rank 2: no GPU"));
}

TEST(Meeting, WhoLeavesIsNamed) {
  const auto said = Meet(FreePort(), 3, {0, 1, 2}, Seconds(20), [](Meeting& meeting, int rank) {
    return rank == 1 ? Status() : meeting.Agree({});
  });
  EXPECT_EQ(said[1], "");
  EXPECT_EQ(said[0], "rank 1: the connection was closed");
  EXPECT_EQ(said[2], "rank 1: the connection was closed");
}

TEST(Meeting, WrongRanksAndStrangersAreToldApart) {
  const std::string where = FreePort();
  const std::string port = where.substr(where.find(':') + 1);
  std::thread stranger([&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    const auto s = Socket::Connect("127.0.0.1", port, deadline);
    if (s) (void)s->Send("GET / HTTP/1.1\r\n\r\n", deadline);
  });
  auto said = Meet(where, 2, {0, 1}, Seconds(20), Talk);
  stranger.join();
  EXPECT_EQ(said, std::vector<std::string>(2));
  said = Meet(FreePort(), 3, {0, 1, 1}, Seconds(20), Talk);
  EXPECT_NE(said[0].find("rank 1 came twice"), std::string::npos) << said[0];
  EXPECT_FALSE(Meeting::Open("nowhere", 0, 2, Seconds(1)));
  EXPECT_FALSE(Meeting::Open(":80", 0, 2, Seconds(1)));
  EXPECT_FALSE(Meeting::Open("host:123456", 0, 2, Seconds(1)));
}

}  // namespace
}  // namespace pipescope::kernels::exchange
