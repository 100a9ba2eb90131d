// pipescope comm: what it answers, and what it refuses.
#include <nlohmann/json.hpp>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

using Json = nlohmann::json;

class Comm : public CliTest {
 protected:
  Json Of(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"comm", "h800_2048_fat_tree", "--pattern"});
    arguments.insert(arguments.end(), {"--format", "json"});
    const Ran ran = Run(arguments);
    EXPECT_EQ(ran.exit, 0) << ran.err;
    return Json::parse(ran.out);
  }
  void Refuses(std::vector<std::string> arguments, const std::vector<std::string>& parts) {
    arguments.insert(arguments.begin(), {"comm", "h800_2048_fat_tree", "--pattern"});
    ExpectRefused(arguments, parts);
  }
};

// 20 SMs saturate the network of H800 in both directions, and are not told to.
TEST_F(Comm, FindsHowManySmsSaturate) {
  for (const char* pattern : {"dispatch", "combine"}) {
    const Json json = Of({pattern, "--gpus", "64", "--sms", "4,8,12,16,20,24,32,48"});
    EXPECT_EQ(json["saturating_sms"], 20) << pattern;
    EXPECT_EQ(json["results"][0]["sms"], 4);
    EXPECT_EQ(json["results"][7]["bound_by"], "network");
    EXPECT_EQ(json["nodes"], 8);
    EXPECT_GT(json["results"][0]["time_s"], 3 * json["results"][4]["time_s"].get<double>());
  }
}

TEST_F(Comm, TwoNodesAreBoundByNvlink) {
  const Json json = Of({"dispatch", "--gpus", "16", "--sms", "48"});
  EXPECT_EQ(json["results"][0]["bound_by"], "NVLink");
  EXPECT_LT(json["results"][0]["busy"]["nic"], 0.6);
}

TEST_F(Comm, ThirteenExpertsCostWhatEightCost) {
  const auto time = [&](const char* top_k) {
    return Of({"dispatch", "--top-k", top_k, "--sms", "24"})["results"][0]["time_s"].get<double>();
  };
  EXPECT_LT(time("13") / time("8"), 1.04);
  EXPECT_GT(time("24") / time("8"), 1.2);
}

// The definitions hold among the numbers that are printed.
TEST_F(Comm, BandwidthsFollowTheirDefinitions) {
  const Json json = Of({"combine", "--gpus", "32", "--sms", "24"});
  const Json& r = json["results"][0];
  const double bytes = json["tokens"].get<double>() * json["row_bytes"].get<double>();
  const double rdma = bytes * json["nodes_per_token"].get<double>() / r["time_s"].get<double>();
  EXPECT_NEAR(r["algorithm_rdma_bytes_per_second"].get<double>() / rdma, 1, 1e-9);
  const double nvl = bytes * json["gpus_per_token"].get<double>() / r["time_s"].get<double>();
  EXPECT_NEAR(r["algorithm_nvl_bytes_per_second"].get<double>() / nvl, 1, 1e-9);
  EXPECT_EQ(json["row_bytes"], 14336);
  EXPECT_EQ(json["definitions"].size(), 6u);
  EXPECT_GT(json["assumptions"].size(), 5u);
  const Json gather = Of({"all-gather", "--gpus", "8", "--size", "256 MB"});
  const double algorithm = 256e6 / gather["time_s"].get<double>();
  EXPECT_NEAR(gather["algorithm_bytes_per_second"].get<double>() / algorithm, 1, 1e-9);
  EXPECT_NEAR(gather["bus_bytes_per_second"].get<double>() / (algorithm * 7 / 8), 1, 1e-9);
}

TEST_F(Comm, TextSaysWhatBoundsIt) {
  const Ran ran = Run({"comm", "h800_2048_fat_tree", "--pattern", "dispatch", "--gpus", "8",
                       "--jitter", "1 ms", "--sms", "24"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  for (const char* part : {"dispatch over 8 GPUs: 1 x 8 H800", "bound by", "NVLink\n",
                           "of waiting for the slowest GPU", "What is counted", "Assumptions"}) {
    EXPECT_NE(ran.out.find(part), std::string::npos) << part;
  }
  for (const char* pattern : {"p2p", "all-to-all", "all-gather", "reduce-scatter", "all-reduce"}) {
    const Ran one = Run({"comm", "h100_dgx_pod", "--pattern", pattern, "--gpus", "16"});
    EXPECT_EQ(one.exit, 0) << one.err;
    EXPECT_NE(one.out.find("bound by"), std::string::npos);
    EXPECT_EQ(one.out, Run({"comm", "h100_dgx_pod", "--pattern", pattern, "--gpus", "16"}).out);
  }
}

TEST_F(Comm, SkewIsSlower) {
  const auto time = [&](const char* skew) {
    return Of({"dispatch", "--gpus", "16", "--tokens", "512", "--skew", skew, "--sms",
               "24"})["results"][0]["time_s"]
        .get<double>();
  };
  EXPECT_GT(time("1"), 1.2 * time("0"));
}

TEST_F(Comm, RefusesUnknownNames) {
  Refuses({"dispach"}, {"--pattern: 'dispach' is not a known pattern; did you mean 'dispatch'?"});
  ExpectRefused({"comm", "h800_2048_fat_tre", "--pattern", "combine"},
                {"did you mean 'h800_2048_fat_tree'?"});
  Refuses({"dispatch", "--topk", "4"}, {"unknown option '--topk'; did you mean '--top-k'?"});
  Refuses({"all-reduce", "--algorithm", "rings"}, {"unknown algorithm 'rings'", "'ring'"});
  Refuses({"all-reduce", "--tokens", "4"}, {"--tokens is not for all-reduce"});
  Refuses({"dispatch", "--size", "1 GB"}, {"--size is not for dispatch"});
  ExpectRefused({"comm", "h800_2048_fat_tree"}, {"--pattern is required"});
}

TEST_F(Comm, RefusesWhatDoesNotFit) {
  Refuses({"dispatch", "--gpus", "12"}, {"12 GPUs do not fill whole nodes of 8"});
  Refuses({"dispatch", "--gpus", "512"}, {"at most 20 nodes of 8"});
  Refuses({"dispatch", "--gpus", "24"}, {"256 experts do not divide evenly over 24 GPUs"});
  Refuses({"dispatch", "--sms", "3"}, {"3 SMs: expected an even number of 2 to 132"});
  Refuses({"dispatch", "--sms", "4,1000"}, {"1000 SMs"});
  Refuses({"dispatch", "--tokens", "0"}, {"0 tokens"});
  Refuses({"dispatch", "--tokens", "999999999999"}, {"tokens: expected 1 to"});
  Refuses({"dispatch", "--tokens", "131072", "--skew", "1"}, {"tokens: expected 1 to"});
  Refuses({"dispatch", "--experts", "100000000"}, {"experts: expected 1 to 4096"});
  Refuses({"dispatch", "--top-k", "0"}, {"0 experts a token"});
  Refuses({"dispatch", "--top-k", "129"}, {"129 experts a token: expected 1 to 128"});
  Refuses({"dispatch", "--groups-per-token", "9"}, {"9 groups a token: expected 1 to 8"});
  Refuses({"dispatch", "--skew", "nan"}, {"a skew of"});
  Refuses({"dispatch", "--skew", "-1"}, {"a skew of -1"});
  Refuses({"dispatch", "--loads", "1,2,3"}, {"3 loads for 256 experts"});
  Refuses({"dispatch", "--hidden", "100"}, {"a hidden size of 100: expected a multiple of 128"});
  Refuses({"dispatch", "--buffers", "0,0,0,0"}, {"NVLink buffers: messages of 0 tokens"});
  Refuses({"dispatch", "--buffers", "8,16,32,128"}, {"do not fit NVLink rings of 16"});
  Refuses({"dispatch", "--jitter", "5"}, {"--jitter: ", "unit"});
  Refuses({"all-gather", "--size", "5"}, {"--size: ", "unit"});
  Refuses({"all-gather", "--gpus", "4096"}, {"4096 of 2048 that h800-2048-fat-tree has"});
  Refuses({"all-to-all", "--gpus", "2048", "--size", "1 B"}, {"at least one for each GPU"});
  Refuses({"all-reduce", "--gpus", "2048"}, {"takes more than 4000000 transfers"});
  ExpectRefused({"comm", "gb200_nvl72", "--pattern", "dispatch", "--gpus", "64"}, {"of 8"});
}

TEST_F(Comm, RefusesATopologyWithUnknownFigures) {
  Write("t.yaml", SmallTopology("  sms: 132", "  sms: unknown"));
  ExpectRefused({"comm", "t.yaml", "--pattern", "dispatch", "--gpus", "8"},
                {"t.yaml", "a prediction needs what is unknown here"});
}

}  // namespace
}  // namespace pipescope::cli
