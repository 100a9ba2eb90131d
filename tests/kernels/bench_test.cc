// The registry, its measure of right and wrong, and what becomes of times.
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/bench/adjoint.h"
#include "kernels/bench/check.h"
#include "kernels/bench/coverage.h"
#include "kernels/bench/cpu_timer.h"
#include "kernels/bench/program.h"
#include "sim/base/file.h"
#include "sim/measured/profile_file.h"

namespace pipescope::kernels::bench {
namespace {

using Numbers = std::vector<double>;

const Progress kSilent = [](const std::string&) {};

TEST(Checks, FindWhatIsOff) {
  const Numbers truth = {1, -2, 3};
  Checked checked = {.limit = 1e-6};
  Note(checked, "equal", truth, truth);
  EXPECT_TRUE(checked.well());
  EXPECT_EQ(checked.difference, 0);
  for (const Numbers& wrong : {Numbers{1, -2, 3.1}, Numbers{1, 2, 3}, Numbers{0, 0, 0},
                               Numbers{1, -2, std::numeric_limits<double>::quiet_NaN()},
                               Numbers{1, -2, std::numeric_limits<double>::infinity()}}) {
    Checked off = {.limit = 1e-6};
    Note(off, "off", wrong, truth);
    EXPECT_FALSE(off.well());
  }
  Checked sizes = {.limit = 1};
  Note(sizes, "sizes", Numbers{1, 2}, truth);
  EXPECT_EQ(sizes.failure, "sizes: 2 values, expected 3");
}

TEST(Checks, BitsAreCompared) {
  const std::vector<float> zero = {0.0F}, minus = {-0.0F};
  Checked checked;
  NoteEqual(checked, "zeros", std::span<const float>(zero), std::span<const float>(minus));
  EXPECT_EQ(checked.failure, "zeros: value 0 of 1 is 0, expected -0");
}

TEST(Checks, AWrongGradientIsFound) {
  Draw draw(5);
  const auto x = DrawNormal(draw, 20);
  const Function square = [](std::span<const float> at) {
    std::vector<float> y;
    for (const float v : at) y.push_back(v * v);
    return y;
  };
  const auto gradient = [](float factor) -> Gradient {
    return [factor](std::span<const float> at, std::span<const float> d) {
      std::vector<float> dx;
      for (size_t i = 0; i < at.size(); ++i) dx.push_back(factor * at[i] * d[i]);
      return dx;
    };
  };
  Checked right = {.limit = 1e-6}, wrong = {.limit = 1e-6};
  NoteGradient(right, "square", draw, x, square, gradient(2));
  NoteGradient(wrong, "square", draw, x, square, gradient(2.01F));
  EXPECT_TRUE(right.well()) << right.failure;
  EXPECT_FALSE(wrong.well());
}

TEST(Registry, EveryKernelIsComplete) {
  std::set<std::pair<std::string, Device>> names;
  for (const Op& op : AllOps()) {
    EXPECT_TRUE(op.check) << op.name;
    EXPECT_FALSE(op.truth.empty()) << op.name;
    EXPECT_TRUE(names.emplace(op.name, op.device).second) << op.name;
    // Block scaling's library is timed as the baseline of ours.
    const bool untimed = op.name.starts_with("fp8_gemm_cublaslt");
    EXPECT_EQ(op.shapes.empty(), untimed) << op.name;
    EXPECT_TRUE(op.trial) << op.name;
    // All that computes on a GPU can run beside communication, which is not computed.
    const bool computes =
        op.device == Device::kCuda && op.name != "dispatch" && op.name != "combine";
    EXPECT_EQ(static_cast<bool>(op.prepare), computes) << op.name;
    for (const Shape& shape : op.shapes) {
      if (op.told) {
        EXPECT_EQ(op.told(shape).shape.size(), measured::Dimensions(op.kind).size()) << op.name;
        continue;
      }
      for (const std::string_view part : measured::Dimensions(op.kind)) {
        if (part == "bytes" || part == "blocks") continue;
        EXPECT_GT(At(shape, std::string(part)), 0) << op.name;
      }
    }
  }
  EXPECT_EQ(nlohmann::json::parse(ListJson())["kernels"].size(), names.size());
}

TEST(Registry, EveryOperationIsCovered) {
  std::set<std::string> fast;
  for (const Coverage& row : CoverageOf(AllOps())) {
    for (const std::string* cell :
         {&row.truth, &row.fast, &row.cuda, &row.check, &row.bench, &row.library}) {
      EXPECT_FALSE(cell->empty()) << row.operation;
    }
    EXPECT_NE(row.fast, "none in this build") << row.operation;
    for (const std::string* counted : {&row.cuda, &row.check, &row.bench}) {
      EXPECT_NE(counted->find("cuda"), std::string::npos) << row.operation << ": " << *counted;
    }
    if (row.fast == "ours") fast.insert(row.operation);
  }
  EXPECT_EQ(fast, (std::set<std::string>{"adamw", "attention", "cross_entropy", "linear", "permute",
                                         "rms_norm", "rope", "router", "swiglu", "unpermute"}));
}

TEST(Registry, AHoleIsSeen) {
  const std::vector<Op> one = {{.name = "no_such_operation", .truth = "a truth"}};
  const auto rows = CoverageOf(one);
  EXPECT_EQ(rows.back().operation, "no_such_operation");
  EXPECT_TRUE(rows.back().cuda.empty());
  EXPECT_TRUE(rows.front().truth.empty());
}

TEST(Registry, CpuKernelsAreRightWithOtherSeeds) {
  for (const uint64_t seed : {2, 3, 77}) {
    const auto report = RunChecks({.kernel = "", .seed = seed}, kSilent);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->well) << report->text;
    EXPECT_FALSE(nlohmann::json::parse(report->json)["results"].empty());
  }
}

TEST(Registry, AnUnknownKernelIsSaid) {
  const auto report = RunChecks({.kernel = "fp8_gem_"}, kSilent);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("'fp8_gem_'"), std::string::npos);
  EXPECT_NE(report.error().message.find("fp8_gemm"), std::string::npos);
}

Timed TimedOf(std::vector<int64_t> us, std::vector<int64_t> baseline) {
  Timed timed = {{}, {}, Flops(2e9), Bytes(1'000'000), 132, ""};
  for (const int64_t t : us) timed.each.push_back(Duration(t * 1'000'000));
  for (const int64_t t : baseline) timed.baseline_each.push_back(Duration(t * 1'000'000));
  return timed;
}

BenchReport Report() {
  BenchReport report;
  report.machine = {Device::kCuda, "a \"GPU\"", 132, {{"driver", "13"}}, {}};
  report.peaks = {GigabytesPerSecond(100), Teraflops(40), "said"};
  Op gemm = {.name = "gemm",
             .backend = "ours",
             .baseline = "library",
             .baseline_serves = true,
             .kind = measured::Kind::kGemm,
             .pass = measured::Pass::kForward,
             .format = measured::Format::kFp8};
  const Shape shape = {{"groups", 1}, {"m", 10}, {"n", 20}, {"k", 30}};
  report.rows.push_back({gemm, shape, TimedOf({100, 90, 400}, {80, 80, 80})});
  Op copy = {.name = "copy", .backend = "ours", .kind = measured::Kind::kMemory};
  report.rows.push_back({copy, {{"rows", 1}}, TimedOf({20, 40}, {})});
  report.rows.push_back({copy, {{"rows", 2}}, TimedOf({60}, {})});
  return report;
}

TEST(Report, HasTheContractsKeys) {
  const auto json = nlohmann::json::parse(BenchJson(Report()));
  EXPECT_EQ(json["device"], "cuda");
  EXPECT_EQ(json["machine"]["name"], "a \"GPU\"");
  const auto& gemm = json["results"][0];
  EXPECT_EQ(gemm["kernel"], "gemm");
  EXPECT_EQ(gemm["shape"], (nlohmann::json{{"groups", 1}, {"m", 10}, {"n", 20}, {"k", 30}}));
  EXPECT_EQ(gemm["sms"], 132);
  EXPECT_DOUBLE_EQ(gemm["time_s"], 100e-6);
  EXPECT_DOUBLE_EQ(gemm["tflops"], 20);
  EXPECT_DOUBLE_EQ(gemm["gigabytes_per_second"], 10);
  EXPECT_DOUBLE_EQ(gemm["of_peak"], 0.5);  // of the matrix; of the copy it is 0.1
  EXPECT_EQ(gemm["bound"], "matrix");
  EXPECT_EQ(gemm["baseline"], "library");
  EXPECT_DOUBLE_EQ(gemm["baseline_time_s"], 80e-6);
  EXPECT_EQ(gemm["chosen"], "library");
  EXPECT_DOUBLE_EQ(json["results"][1]["time_s"], 30e-6);
}

TEST(Report, AProfileTakesTheFasterBackendAndMergesEqualKeys) {
  const auto profile = ProfileOf(Report(), "a test");
  ASSERT_EQ(profile.operations.size(), 2u);
  EXPECT_EQ(profile.operations[0].times.mean, Microseconds(80));
  EXPECT_EQ(profile.operations[0].shape.at("k"), 30);
  EXPECT_EQ(profile.operations[1].times.count, 3);
  EXPECT_EQ(profile.operations[1].times.mean, Microseconds(40));
  EXPECT_EQ(profile.operations[1].shape.at("bytes"), 1'000'000);
}

// What ran beside communication is the same operation on fewer SMs; a profile's reader takes it.
TEST(Report, AProfileHoldsWhatRanBesideCommunication) {
  BenchReport report = Report();
  const cuda::Interference twenty = {
      20, 112, Microseconds(100), Microseconds(125), Microseconds(1000), Microseconds(1500)};
  const cuda::Interference none = {0, 132, Microseconds(90), Microseconds(90), {}, {}};
  for (const auto& times : {none, twenty}) {
    report.interference.push_back({report.rows[0].op, report.rows[0].shape, Bytes(7), times});
    report.interference.push_back({report.rows[1].op, {{"rows", 1}}, Bytes(1'000'000), times});
  }
  const auto json = nlohmann::json::parse(BenchJson(report))["interference"];
  ASSERT_EQ(json.size(), 4u);
  EXPECT_EQ(json[0]["slowdown"], 1);
  EXPECT_EQ(json[0]["communication_slowdown"], 1);
  EXPECT_EQ(json[2]["sms"], 112);
  EXPECT_DOUBLE_EQ(json[2]["slowdown"], 1.25);
  EXPECT_DOUBLE_EQ(json[2]["communication_slowdown"], 1.5);

  const std::string path = testing::TempDir() + "/profile.json";
  ASSERT_TRUE(WriteFileAtomically(path, measured::ProfileJson(ProfileOf(report, "a test"))));
  const auto profile = measured::ReadProfile(path);
  ASSERT_TRUE(profile) << profile.error().ToString();
  ASSERT_EQ(profile->operations.size(), 2u + 2 + 3);  // alone; beside; communication, three ways
  const auto& gemm = profile->operations[2];
  EXPECT_EQ(gemm.kind, measured::Kind::kGemm);
  EXPECT_EQ(gemm.sms, 112);
  EXPECT_EQ(gemm.times.mean, Microseconds(125));
  EXPECT_EQ(gemm.name, "gemm beside communication");
  EXPECT_EQ(profile->operations[3].name, "communication of 1 GB");
  EXPECT_EQ(profile->operations[3].times.count, 2);
  EXPECT_EQ(profile->operations[4].name,
            "communication of 1 GB beside gemm (groups 1, m 10, n 20, k 30)");
}

TEST(Report, DisturbedRunsDoNotCount) {
  BenchReport report = Report();
  report.rows = {report.rows[2]};
  report.rows[0].timed = TimedOf({100, 101, 99, 102, 100, 5000, 98}, {});
  const auto profile = ProfileOf(report, "a test");
  EXPECT_EQ(profile.operations[0].times.count, 6);
  EXPECT_EQ(profile.operations[0].times.mean, Microseconds(100));
  EXPECT_EQ(profile.machine.at("copy rate"), "100.0 GB/s");
  EXPECT_EQ(profile.machine.at("matrix rate"), "40.00 TFLOPS");
}

TEST(Report, AProfileSaysWhatItLacks) {
  BenchReport report = Report();
  report.failures = {"gemm (m 1): no memory", "copy: no time"};
  EXPECT_EQ(ProfileOf(report, "a test").machine.at("not measured"),
            "gemm (m 1): no memory; copy: no time");
}

TEST(Timing, MedianIsTheMiddle) {
  EXPECT_EQ(Median({Duration(5), Duration(1), Duration(3)}), Duration(3));
  EXPECT_EQ(Median({Duration(4), Duration(2)}), Duration(3));
}

}  // namespace
}  // namespace pipescope::kernels::bench
