#include "cli/kernels_predict_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "cli/examples.h"
#include "cli/interference.h"
#include "cli/kernels_options.h"
#include "cli/verb.h"
#include "reports/kernel_predictions.h"
#include "sim/base/quantity.h"
#include "sim/measured/profile_file.h"
#include "topology/load.h"

namespace pipescope::cli {
namespace {

namespace bench = kernels::bench;

constexpr const char* kExamples =
    "pipescope kernels predict\n"
    "pipescope kernels predict --device cuda --interference --json predictions.json\n"
    "pipescope kernels predict --profile profile.json --kernel swiglu\n"
    "pipescope kernels predict --profile profile.json --measured held_out.json";

struct Options {
  KernelsOptions kernels;
  std::string profile, measured, topology;
};

Error In(const std::string& path, Error error) {
  if (error.where.file.empty()) error.where.file = path;
  return error;
}

// What the costs of a profile are read with.
Result<topology::Gpu> GpuOf(const measured::Profile& profile, const Options& o) {
  if (o.topology.empty()) return costs::GpuOf(profile);
  const auto cluster = topology::LoadCluster(o.topology);
  if (!cluster) return Fail(cluster.error());
  if (cluster->gpu.sms == profile.sms) return cluster->gpu;
  return Fail(fmt::format("--topology: its GPU '{}' has {} SMs: expected one of {}, as the profile",
                          cluster->gpu.name, cluster->gpu.sms, profile.sms));
}

std::string RatesOf(const topology::Gpu& gpu, const Options& o) {
  return fmt::format("{}: {}, {}", o.topology.empty() ? "measured" : o.topology,
                     Format(gpu.memory_bandwidth),
                     Format(gpu.fp8.value() > 0 ? gpu.fp8 : gpu.bf16));
}

// A profile and what was left out of it.
class Predictor {
 public:
  Predictor(const measured::Profile& profile, const topology::Gpu& gpu)
      : profile_(profile), source_(costs::ProfileSource::Of(profile, gpu, {})) {}

  Result<costs::Prediction> Predict(const measured::Operation& operation) const {
    if (auto ok = costs::CheckHeldOut(profile_, operation); !ok) return Fail(ok.error());
    return costs::Predict(source_, operation);
  }

 private:
  const measured::Profile& profile_;
  const costs::ProfileSource source_;
};

Result<measured::Profile> ReadCalibrated(const Options& o) {
  auto profile = measured::ReadProfile(o.profile);
  if (!profile) return Fail(In(o.profile, profile.error()));
  return profile;
}

// Both profiles from files.
Result<reports::KernelPredictions> Compare(const Options& o) {
  const auto profile = ReadCalibrated(o);
  if (!profile) return Fail(profile.error());
  const auto held = measured::ReadProfile(o.measured);
  if (!held) return Fail(In(o.measured, held.error()));
  if (profile->device != held->device || profile->sms != held->sms) {
    return Fail(Error{
        fmt::format("'{}': expected '{}', which the profile is of", held->device, profile->device),
        {o.measured},
        "device"});
  }
  const auto gpu = GpuOf(*profile, o);
  if (!gpu) return Fail(In(o.profile, gpu.error()));
  const Predictor predictor(*profile, *gpu);
  reports::KernelPredictions all = {profile->device, RatesOf(*gpu, o), {}, {}, 0};
  for (const measured::Operation& operation : held->operations) {
    if (operation.name.find(o.kernels.kernel) == std::string::npos) continue;
    auto prediction = predictor.Predict(operation);
    if (!prediction) return Fail(In(o.measured, prediction.error()));
    prediction->operation.times = operation.times;
    all.rows.push_back(*std::move(prediction));
  }
  if (all.rows.empty()) {
    return Fail(In(o.measured, {fmt::format("holds no kernel whose name has '{}' in it; expected "
                                            "at least one",
                                            o.kernels.kernel)}));
  }
  if (const auto missing = held->machine.find("not measured"); missing != held->machine.end()) {
    all.failures.push_back(missing->second);
  }
  return all;
}

// Calibrates, where no profile is given, and measures: kernel by kernel, so that a machine whose
// speed drifts is near to what it was. A shape is predicted before it is measured.
class Session {
 public:
  Session(const Options& o, bench::BenchReport started)
      : options_(o),
        request_(RequestOf(o.kernels)),
        progress_(ProgressOnStderr()),
        calibrated_(started),
        held_(std::move(started)) {}

  Result<reports::KernelPredictions> Run() {
    const auto file = ReadFile();
    if (!file) return Fail(file.error());
    all_.machine = calibrated_.machine.name;
    const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    for (const bench::Op& op : calibrated_.machine.ops) {
      const std::vector<bench::HeldOut> held = HeldOutShapes(op, request_.seed);
      if (held.empty()) continue;
      const Interference others(processors, OwnSeconds());
      if (!*file) Calibrate(op);
      const auto profile = *file ? **file : ProfileOf(calibrated_, "pipescope kernels predict");
      const auto gpu = GpuOf(profile, options_);
      if (!gpu) return Fail(In(options_.profile, gpu.error()));
      all_.rates = RatesOf(*gpu, options_);
      if (auto ok = Hold(op, held, Predictor(profile, *gpu)); !ok) return Fail(ok.error());
      all_.others = std::max(all_.others, others.Share(OwnSeconds()));
    }
    all_.failures = calibrated_.failures;
    all_.failures.insert(all_.failures.end(), held_.failures.begin(), held_.failures.end());
    return all_;
  }

 private:
  // --profile; nothing where there is none.
  Result<std::optional<measured::Profile>> ReadFile() const {
    if (options_.profile.empty()) return std::nullopt;
    auto profile = ReadCalibrated(options_);
    if (!profile) return Fail(profile.error());
    if (profile->device == calibrated_.machine.name) return *std::move(profile);
    return Fail(Error{fmt::format("'{}': expected a profile of this machine, '{}'", profile->device,
                                  calibrated_.machine.name),
                      {options_.profile},
                      "device"});
  }

  void Calibrate(const bench::Op& op) {
    for (const bench::Shape& shape : CalibratedShapes(op)) {
      TimeShape(op, {shape, ""}, request_, progress_, calibrated_);
    }
    if (!request_.interference || !op.prepare) return;
    TimeBeside(op, {op.shapes.front(), ""}, bench::CalibratedSms(), progress_, calibrated_);
  }

  Status Hold(const bench::Op& op, const std::vector<bench::HeldOut>& held,
              const Predictor& predictor) {
    const int sms = request_.sms > 0 ? request_.sms : calibrated_.machine.sms;
    for (const bench::HeldOut& at : held) {
      const auto prediction = predictor.Predict(OperationOf(op, at.shape, sms));
      if (!prediction) return Fail(prediction.error());
      Forget();
      TimeShape(op, at, request_, progress_, held_);
      Keep({*prediction});
    }
    const bench::HeldOut* beside = HeldOutBeside(op, held, request_);
    if (beside == nullptr) return {};
    for (const int count : bench::HeldOutSms(request_.seed)) {
      std::vector<costs::Prediction> predictions;
      for (const auto& operation : OperationsBeside(op, beside->shape, sms, count)) {
        const auto prediction = predictor.Predict(operation);
        if (!prediction) return Fail(prediction.error());
        predictions.push_back(*prediction);
      }
      Forget();
      TimeBeside(op, *beside, {count}, progress_, held_);
      Keep(predictions);
    }
    return {};
  }

  void Forget() {
    held_.rows.clear();
    held_.interference.clear();
  }

  // What was measured, as a profile tells it, beside what had been predicted, in the same order.
  void Keep(const std::vector<costs::Prediction>& predictions) {
    const measured::Profile profile = ProfileOf(held_, "");
    if (profile.operations.size() != predictions.size()) return;  // it failed, which is noted
    for (size_t i = 0; i < predictions.size(); ++i) {
      all_.rows.push_back({profile.operations[i], predictions[i].predicted});
    }
  }

  const Options& options_;
  const bench::Request request_;
  const bench::Progress progress_;
  bench::BenchReport calibrated_, held_;
  reports::KernelPredictions all_;
};

int Run(const Options& o) {
  const auto predictions = [&]() -> Result<reports::KernelPredictions> {
    if (!o.measured.empty()) return Compare(o);
    auto started = StartBench(RequestOf(o.kernels), ProgressOnStderr());
    if (!started) return Fail(started.error());
    return Session(o, *std::move(started)).Run();
  }();
  if (!predictions) return Complain(predictions.error());
  const std::string json = KernelPredictionsJson(*predictions);
  const int emitted =
      EmitAll({{o.kernels.json, json}}, "",
              o.kernels.format == "json" ? json : KernelPredictionsText(*predictions));
  return emitted != kOk ? emitted : predictions->failures.empty() ? kOk : kCheckFailed;
}

}  // namespace

void AddKernelsPredictVerb(CLI::App& kernels, int& exit_code) {
  CLI::App* verb = kernels.add_subcommand(
      "predict", "Shapes that a calibration left out, predicted from it, beside what they take.");
  const auto o = std::make_shared<Options>();
  AddKernelsOptions(*verb, o->kernels);
  CLI::Option* profile = verb->add_option("--profile", o->profile,
                                          "Of calibrate; without it each kernel is calibrated")
                             ->type_name("FILE");
  CLI::Option* measured =
      verb->add_option("--measured", o->measured,
                       "What was measured: a profile of shapes that are not in the first one")
          ->type_name("FILE")
          ->needs(profile);
  verb->add_option("--topology", o->topology, "Whose GPU it is; without it as the profile tells")
      ->type_name("FILE");
  verb->add_option("--seed", o->kernels.seed, "Of the shapes that are left out")
      ->capture_default_str()
      ->excludes(measured);
  verb->add_flag("--interference", o->kernels.interference, "Also beside communication")
      ->excludes(measured);
  verb->add_option("--format", o->kernels.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_option("--json", o->kernels.json, "Write the results to this file, too")
      ->type_name("FILE");
  verb->callback([&exit_code, o] { exit_code = Run(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
