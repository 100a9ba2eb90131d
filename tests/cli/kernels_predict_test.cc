// kernels predict on a machine whose speed flips: an artificial kernel on an artificial clock.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cli/kernels_predict_session.h"
#include "sim/base/file.h"
#include "sim/measured/profile_file.h"

namespace pipescope::cli {
namespace {

namespace bench = kernels::bench;

// Fast for so many seconds, then 1.6 times as slow for as many, and so on.
struct Machine {
  double now = 0, state = 0.4;

  double slowness() const { return std::fmod(now, 2 * state) < state ? 1 : 1.6; }
  double Work(double seconds) {
    const double took = seconds * slowness();
    now += took;
    return took;
  }
};

// 1 ms to start, and a byte a nanosecond.
double TrueSeconds(Bytes bytes) { return 1e-3 + 1e-9 * static_cast<double>(bytes.value()); }

bench::Op Kernel(Machine& machine) {
  bench::Op op = {.name = "clockwork", .kind = measured::Kind::kMemory};
  op.format = measured::Format::kFp32;
  op.shapes = {{{"rows", 64}, {"columns", 7168}}};
  op.sizes = {{"rows"}, {"columns", 64}};
  op.bytes = [](const bench::Shape& shape) {
    return Bytes(8 * bench::At(shape, "rows") * bench::At(shape, "columns"));
  };
  op.trial = [&machine, bytes = op.bytes](const bench::Shape& shape, int) -> Result<bench::Trial> {
    bench::Trial trial = {.bytes = bytes(shape)};
    trial.kernel = [&machine, seconds = TrueSeconds(bytes(shape))](
                       const bench::Runs& runs) -> Result<std::vector<Duration>> {
      std::vector<Duration> each;
      Duration all;
      while (static_cast<int>(each.size()) < runs.least ||
             (static_cast<int>(each.size()) < runs.most && all < runs.enough)) {
        each.push_back(Seconds(machine.Work(seconds)));
        all += each.back();
      }
      return each;
    };
    return trial;
  };
  return op;
}

bench::BenchReport Started(Machine& machine) {
  bench::BenchReport report;
  report.machine = {bench::Device::kCpu, "clock", 0, {}, {Kernel(machine)}};
  report.peaks = {GigabytesPerSecond(2), Teraflops(1), "said"};
  return report;
}

double WorstError(const reports::KernelPredictions& predictions) {
  double worst = 0;
  for (const costs::Prediction& row : predictions.rows) {
    EXPECT_TRUE(row.predicted);
    worst = std::max(worst, std::abs(row.error()));
  }
  return worst;
}

double ErrorInRounds(double phase) {
  Machine machine = {phase};
  const auto pace = [&machine] { return machine.Work(1e-3); };
  const PredictOptions options;
  const auto predictions =
      PredictSession(options, Started(machine), {pace, bench::RoundsPlan{}}).Run();
  EXPECT_TRUE(predictions);
  EXPECT_EQ(predictions->rows.size(), 4u);
  return WorstError(*predictions);
}

// One shape after the other: as a calibration and what it held out are measured apart.
double ErrorOneAfterTheOther(double phase) {
  Machine machine = {phase};
  bench::BenchReport calibrated = Started(machine), held = calibrated;
  const bench::Op op = calibrated.machine.ops.front();
  const auto silent = [](const std::string&) {};
  for (const auto& shape : CalibratedShapes(op)) {
    TimeShape(op, {shape, ""}, {}, silent, calibrated);
  }
  for (const auto& at : HeldOutShapes(op, 1)) TimeShape(op, at, {}, silent, held);
  const auto predictor = KernelPredictor::Of(ProfileOf(calibrated, "a test"), "");
  EXPECT_TRUE(predictor);
  reports::KernelPredictions predictions;
  for (const measured::Operation& operation : ProfileOf(held, "").operations) {
    auto prediction = predictor->Predict(operation);
    EXPECT_TRUE(prediction);
    prediction->operation.times = operation.times;
    predictions.rows.push_back(*prediction);
  }
  return WorstError(predictions);
}

// Whenever the machine flips, within a round too, predictions in rounds are right to the picosecond
// that a time has. Not so where each shape meets the state that there happens to be.
TEST(KernelsPredict, RoundsMakeAMachineThatFlipsNoMatter) {
  double worst = 0, worst_apart = 0;
  for (int i = 0; i < 40; ++i) {
    const double phase = 0.02 * i;
    worst = std::max(worst, ErrorInRounds(phase));
    worst_apart = std::max(worst_apart, ErrorOneAfterTheOther(phase));
  }
  EXPECT_LT(worst, 1e-6);
  EXPECT_GT(worst_apart, 0.3);
}

// Nothing that is held out tells the prediction: with a profile of before, of a machine twice as
// fast, all are predicted at half of what they take.
TEST(KernelsPredict, AProfileOfBeforeIsAllThatAPredictionKnows) {
  Machine machine = {0, 1e9};
  bench::BenchReport before = Started(machine);
  const bench::Op op = before.machine.ops.front();
  for (const auto& shape : CalibratedShapes(op)) {
    bench::Timed timed = {{Seconds(TrueSeconds(op.bytes(shape)) / 2)}, {}, {}, op.bytes(shape)};
    before.rows.push_back({op, shape, timed});
  }
  PredictOptions options;
  options.profile = testing::TempDir() + "/profile.json";
  ASSERT_TRUE(WriteFileAtomically(options.profile, ProfileJson(ProfileOf(before, "a test"))));
  const auto pace = [&machine] { return machine.Work(1e-3); };
  const auto predictions =
      PredictSession(options, Started(machine), {pace, bench::RoundsPlan{}}).Run();
  ASSERT_TRUE(predictions) << predictions.error().ToString();
  ASSERT_EQ(predictions->rows.size(), 4u);
  for (const costs::Prediction& row : predictions->rows) EXPECT_NEAR(row.error(), -0.5, 1e-6);
}

}  // namespace
}  // namespace pipescope::cli
