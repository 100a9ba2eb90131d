#include "cli/kernels_predict_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/interference.h"

namespace pipescope::cli {

namespace bench = kernels::bench;

PredictSession::PredictSession(const PredictOptions& options, bench::BenchReport started,
                               bench::Rounds rounds)
    : options_(options),
      request_(RequestOf(options.kernels)),
      progress_(ProgressOnStderr()),
      calibrated_(started),
      held_(std::move(started)),
      rounds_(std::move(rounds)) {}

Result<reports::KernelPredictions> PredictSession::Run() {
  if (auto ok = ReadFile(); !ok) return Fail(ok.error());
  all_.machine = calibrated_.machine.name;
  for (const bench::Op& op : calibrated_.machine.ops) {
    const HeldShapes held = HeldOutShapes(op, request_.seed);
    if (held.empty()) continue;
    const Interference others(OwnUse().seconds);
    if (auto ok = RunKernel(op, held); !ok) return Fail(ok.error());
    all_.others = std::max(all_.others, others.Share(OwnUse().seconds));
  }
  all_.failures = calibrated_.failures;
  all_.failures.insert(all_.failures.end(), held_.failures.begin(), held_.failures.end());
  return all_;
}

Status PredictSession::ReadFile() {
  if (options_.profile.empty()) return {};
  auto profile = ReadProfileOf(options_.profile);
  if (!profile) return Fail(profile.error());
  if (profile->device != calibrated_.machine.name) {
    return Fail(Error{fmt::format("'{}': expected a profile of this machine, '{}'", profile->device,
                                  calibrated_.machine.name),
                      {options_.profile},
                      "device"});
  }
  file_ = *std::move(profile);
  return {};
}

Status PredictSession::RunKernel(const bench::Op& op, const HeldShapes& held) {
  Measure(op, held);
  const auto predictor = PredictorOf(op);
  if (!predictor) return Fail(predictor.error());
  all_.rates = predictor->rates();
  if (auto ok = PredictRows(*predictor); !ok) return ok;
  return PredictBeside(op, held, *predictor);
}

// What is calibrated and what is held out in the same rounds.
void PredictSession::Measure(const bench::Op& op, const HeldShapes& held) {
  std::vector<bench::Shape> shapes;
  if (!file_) shapes = CalibratedShapes(op);
  const size_t calibrated = shapes.size();
  for (const bench::HeldOut& at : held) shapes.push_back(at.shape);
  progress_(fmt::format("{}: {} shapes", op.name, shapes.size()));
  const auto timed = rounds_.Time(op, shapes, request_.sms);
  held_.rows.clear();
  for (size_t i = 0; i < shapes.size(); ++i) {
    const bool left_out = i >= calibrated;
    bench::BenchReport& report = left_out ? held_ : calibrated_;
    if (timed[i]) {
      report.rows.push_back({op, shapes[i], *timed[i], left_out ? held[i - calibrated].how : ""});
    } else {
      report.failures.push_back(fmt::format("{} ({}): {}", op.name, bench::TextOf(shapes[i]),
                                            timed[i].error().ToString()));
    }
  }
}

// Of what is calibrated alone.
Result<KernelPredictor> PredictSession::PredictorOf(const bench::Op& op) {
  if (!file_ && request_.interference && op.prepare) {
    TimeBeside(op, {op.shapes.front(), ""}, bench::CalibratedSms(), progress_, calibrated_);
  }
  auto predictor = KernelPredictor::Of(
      file_ ? *file_ : ProfileOf(calibrated_, "pipescope kernels predict"), options_.topology);
  if (!predictor) return Fail(In(options_.profile, predictor.error()));
  return predictor;
}

Status PredictSession::PredictRows(const KernelPredictor& predictor) {
  std::vector<costs::Prediction> predictions;
  for (const bench::BenchRow& row : held_.rows) {
    const auto prediction = predictor.Predict(OperationOf(row.op, row.shape, sms()));
    if (!prediction) return Fail(prediction.error());
    predictions.push_back(*prediction);
  }
  Keep(predictions, held_);
  return {};
}

Status PredictSession::PredictBeside(const bench::Op& op, const HeldShapes& held,
                                     const KernelPredictor& predictor) {
  const bench::HeldOut* beside = HeldOutBeside(op, held, request_);
  if (beside == nullptr) return {};
  held_.rows.clear();
  for (const int count : bench::HeldOutSms(request_.seed)) {
    std::vector<costs::Prediction> predictions;
    for (const auto& operation : OperationsBeside(op, beside->shape, sms(), count)) {
      const auto prediction = predictor.Predict(operation);
      if (!prediction) return Fail(prediction.error());
      predictions.push_back(*prediction);
    }
    held_.interference.clear();
    TimeBeside(op, *beside, {count}, progress_, held_);
    Keep(predictions, held_);
  }
  held_.interference.clear();
  return {};
}

// What was measured, as a profile tells it, beside what is predicted, in the same order.
void PredictSession::Keep(const std::vector<costs::Prediction>& predictions,
                          const bench::BenchReport& measured) {
  const measured::Profile profile = ProfileOf(measured, "");
  if (profile.operations.size() != predictions.size()) return;  // it failed, which is noted
  for (size_t i = 0; i < predictions.size(); ++i) {
    all_.rows.push_back({profile.operations[i], predictions[i].predicted});
  }
}

int PredictSession::sms() const {
  return request_.sms > 0 ? request_.sms : calibrated_.machine.sms;
}

}  // namespace pipescope::cli
