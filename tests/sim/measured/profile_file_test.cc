// Profiles out and in again, times by hand, and what is wrong with a file.
#include "sim/measured/profile_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

namespace pipescope::measured {
namespace {

std::string Written(const std::string& text) {
  const std::string path = testing::TempDir() + "/profile.json";
  std::ofstream(path) << text;
  return path;
}

Profile ReadText(const std::string& text) {
  auto profile = ReadProfile(Written(text));
  if (!profile) ADD_FAILURE() << profile.error().ToString();
  return profile ? *profile : Profile();
}

// What is said of a text, without the folder.
std::string Complaint(const std::string& text) {
  const auto profile = ReadProfile(Written(text));
  if (profile) return "none";
  const std::string all = profile.error().ToString();
  return all.substr(all.find("profile.json") + 12);
}

constexpr const char* kOne = R"({"schema": "pipescope-profile/1",
"device": "NVIDIA H800", "sms": 132,
"operations": [
{"kind":"gemm","pass":"forward","dtype":"fp8","shape":{"groups":1,"m":4096,"n":7168,"k":16384},"sms":112,"count":4,"mean_s":0.000895,"min_s":0.00088,"max_s":0.00091,"std_s":1.5e-05,"name":"o_proj","source":"train.json"}
]}
)";

std::string Changed(const std::string& from, const std::string& to) {
  std::string text = kOne;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ProfileFile, SaysWhatItHolds) {
  const Profile profile = ReadText(kOne);
  EXPECT_EQ(profile.device, "NVIDIA H800");
  ASSERT_EQ(profile.operations.size(), 1u);
  const Operation& op = profile.operations[0];
  EXPECT_EQ(op.kind, Kind::kGemm);
  EXPECT_EQ(op.pass, Pass::kForward);
  EXPECT_EQ(op.format, Format::kFp8);
  EXPECT_EQ(op.shape, (Shape{{"groups", 1}, {"m", 4096}, {"n", 7168}, {"k", 16384}}));
  EXPECT_EQ(op.times.mean, Microseconds(895));
  EXPECT_EQ(op.times.deviation, Microseconds(15));
  EXPECT_EQ(ProfileJson(profile), kOne);
}

TEST(ProfileFile, WhatIsWrittenIsRead) {
  std::mt19937_64 random(7);
  Profile profile;
  profile.device = "a \"device\"\n\xC3\xA9";
  profile.sms = 8;
  profile.machine = {{"driver", "550.54"}, {"rank", "0 of 64"}};
  for (int i = 0; i < 600; ++i) {
    Operation op;
    op.kind = static_cast<Kind>(i % kKinds);
    if (HasPass(op.kind)) op.pass = static_cast<Pass>(1 + i % (kPasses - 1));
    op.format = static_cast<Format>(i % kFormats);
    for (const auto name : Dimensions(op.kind)) {
      op.shape[std::string(name)] = 1 + static_cast<int64_t>(random() >> 12);
    }
    op.sms = static_cast<int>(random() % 200);
    std::vector<Duration> each;
    for (int k = 0; k <= i % 5; ++k) each.emplace_back(static_cast<int64_t>(random() >> 20));
    op.times = TimesOf(each);
    op.name = i % 2 == 0 ? "" : "n" + std::to_string(i);
    profile.operations.push_back(op);
  }
  const std::string text = ProfileJson(profile);
  const Profile again = ReadText(text);
  EXPECT_EQ(ProfileJson(again), text);
  ASSERT_EQ(again.operations.size(), profile.operations.size());
  EXPECT_EQ(again.device, profile.device);
  EXPECT_EQ(again.machine, profile.machine);
  for (size_t i = 0; i < again.operations.size(); ++i) {
    EXPECT_EQ(again.operations[i].Key(), profile.operations[i].Key());
    EXPECT_EQ(again.operations[i].times.mean, profile.operations[i].times.mean);
    EXPECT_EQ(again.operations[i].times.deviation, profile.operations[i].times.deviation);
  }
}

TEST(ProfileFile, ComplainsInTheRightPlace) {
  EXPECT_EQ(Complaint(Changed("profile/1", "profile/2")),
            ":1:12: schema: 'pipescope-profile/2': expected 'pipescope-profile/1'");
  EXPECT_EQ(Complaint("{\"device\": \"x\"}"), ":1:1: schema: '': expected 'pipescope-profile/1'");
  EXPECT_EQ(Complaint(Changed("\"gemm\"", "\"gem\"")).substr(0, 63),
            ":4:9: operations[0].kind: 'gem' is not known here; did you mean");
  EXPECT_EQ(Complaint(Changed("\"m\":4096,", "")), ":4:55: operations[0].shape.m: is missing");
  EXPECT_EQ(Complaint(Changed("\"m\":4096", "\"m\":4096,\"j\":1")).substr(0, 50),
            ":4:80: operations[0].shape.j: unknown name; did yo");
  EXPECT_EQ(Complaint(Changed("16384", "0")),
            ":4:89: operations[0].shape.k: '0': expected a whole number from 1 to "
            "9007199254740992");
  EXPECT_EQ(Complaint(Changed("\"min_s\":0.00088", "\"min_s\":0.0009")),
            ":4:125: operations[0].mean_s: expected at least min_s");
  EXPECT_EQ(Complaint(Changed("1.5e-05", "1.5")),
            ":4:174: operations[0].std_s: expected at most max_s - min_s");
  EXPECT_EQ(Complaint(Changed("\"pass\":\"forward\"", "\"pass\":\"none\"")),
            ":4:23: operations[0].pass: expected forward, input_grad or weight_grad");
  const std::string one = std::string(kOne);
  const size_t from = one.find("{\"kind\""), to = one.find("\n]}");
  EXPECT_EQ(Complaint(one.substr(0, to) + ",\n" + one.substr(from)),
            ":5:1: operations[1]: is a second measurement of the same operation; expected each "
            "once");
}

TEST(Times, OfThreeAndOfOne) {
  const Duration three[] = {Microseconds(1), Microseconds(2), Microseconds(6)};
  const Times times = TimesOf(three);
  EXPECT_EQ(times.count, 3);
  EXPECT_EQ(times.mean, Microseconds(3));
  EXPECT_EQ(times.least, Microseconds(1));
  EXPECT_EQ(times.most, Microseconds(6));
  EXPECT_NEAR(times.deviation.microseconds(), 2.645751, 1e-6);  // sqrt((4 + 1 + 9) / 2)
  EXPECT_EQ(TimesOf({three, 1}).deviation, Duration());
}

}  // namespace
}  // namespace pipescope::measured
