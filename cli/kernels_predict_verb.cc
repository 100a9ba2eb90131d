#include "cli/kernels_predict_verb.h"

#include <fmt/format.h>

#include <memory>

#include "cli/examples.h"
#include "cli/kernels_predict_session.h"
#include "cli/verb.h"
#include "kernels/bench/cpu_timer.h"

namespace pipescope::cli {
namespace {

namespace bench = kernels::bench;

constexpr const char* kExamples =
    "pipescope kernels predict\n"
    "pipescope kernels predict --device cuda --interference --json predictions.json\n"
    "pipescope kernels predict --profile profile.json --kernel swiglu\n"
    "pipescope kernels predict --profile profile.json --measured held_out.json";

// Both profiles from files.
Result<reports::KernelPredictions> Compare(const PredictOptions& o) {
  auto profile = ReadProfileOf(o.profile);
  if (!profile) return Fail(profile.error());
  const auto held = ReadProfileOf(o.measured);
  if (!held) return Fail(held.error());
  if (profile->device != held->device || profile->sms != held->sms) {
    return Fail(Error{
        fmt::format("'{}': expected '{}', which the profile is of", held->device, profile->device),
        {o.measured},
        "device"});
  }
  const auto predictor = KernelPredictor::Of(*std::move(profile), o.topology);
  if (!predictor) return Fail(In(o.profile, predictor.error()));
  reports::KernelPredictions all = {held->device, predictor->rates(), {}, {}, 0};
  for (const measured::Operation& operation : held->operations) {
    if (operation.name.find(o.kernels.kernel) == std::string::npos) continue;
    auto prediction = predictor->Predict(operation);
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

int Run(const PredictOptions& o) {
  if (Status ok = CheckOutputs({o.kernels.json}, ""); !ok) return Complain(ok.error());
  const auto predictions = [&]() -> Result<reports::KernelPredictions> {
    if (!o.measured.empty()) return Compare(o);
    auto started = StartBench(RequestOf(o.kernels), ProgressOnStderr());
    if (!started) return Fail(started.error());
    const bench::RoundsPlan plan = bench::PlanOf(started->machine.device);
    return PredictSession(o, *std::move(started), {bench::PaceOfCpu, plan}).Run();
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
  const auto o = std::make_shared<PredictOptions>();
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
