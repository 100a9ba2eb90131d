#include "cli/calibrate_verb.h"

#include <cstdio>
#include <memory>

#include "cli/examples.h"
#include "cli/kernels_options.h"
#include "cli/verb.h"
#include "sim/measured/profile_file.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "pipescope calibrate -o profile.json\n"
    "pipescope calibrate --device cuda --interference -o h200.json --json bench.json";

int Calibrate(const KernelsOptions& o) {
  if (Status ok = CheckOutputs({o.json}, o.output); !ok) return Complain(ok.error());
  kernels::bench::Request request = RequestOf(o);
  request.calibrate = true;
  const auto report = kernels::bench::RunBench(request, ProgressOnStderr());
  if (!report) return Complain(report.error());
  // What was measured is written; the profile itself says what is missing from it.
  const int emitted = EmitAll({{o.json, BenchJson(*report)}}, o.output,
                              measured::ProfileJson(ProfileOf(*report, "pipescope calibrate")));
  if (emitted != kOk) return emitted;
  for (const std::string& failure : report->failures) {
    std::fprintf(stderr, "pipescope: not measured: %s\n", failure.c_str());
  }
  return report->failures.empty() ? kOk : kCheckFailed;
}

}  // namespace

void AddCalibrateVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("calibrate", "Measures this machine; writes a profile.");
  const auto o = std::make_shared<KernelsOptions>();
  AddKernelsOptions(*verb, *o);
  verb->add_option("-o,--output", o->output, "Write to this file instead of standard output")
      ->type_name("PROFILE.json");
  verb->add_option("--json", o->json, "Write the benchmark's results to this file, too")
      ->type_name("FILE");
  verb->add_flag("--interference", o->interference, "Also beside communication on 0 to 32 SMs");
  verb->callback([&exit_code, o] { exit_code = Calibrate(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
