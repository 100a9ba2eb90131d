#include "cli/calibrate_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/kernels_options.h"
#include "cli/verb.h"
#include "sim/measured/profile_file.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "pipescope calibrate -o profile.json\n"
    "pipescope calibrate --device cuda -o h200.json";

int Calibrate(const KernelsOptions& o) {
  const auto report = kernels::bench::RunBench(RequestOf(o), ProgressOnStderr());
  if (!report) return Complain(report.error());
  // A profile with holes would be taken for a whole one.
  if (!report->failures.empty()) return Complain({report->failures.front()});
  return Emit(o.output, measured::ProfileJson(ProfileOf(*report, "pipescope calibrate")));
}

}  // namespace

void AddCalibrateVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("calibrate", "Measures this machine; writes a profile.");
  const auto o = std::make_shared<KernelsOptions>();
  AddKernelsOptions(*verb, *o);
  verb->add_option("-o", o->output, "Write to this file instead of standard output")
      ->type_name("PROFILE.json");
  verb->callback([&exit_code, o] { exit_code = Calibrate(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
