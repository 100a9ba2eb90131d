#include "cli/kernels_verb.h"

#include <memory>

#include "cli/examples.h"
#include "cli/kernels_exchange_verb.h"
#include "cli/kernels_options.h"
#include "cli/kernels_predict_verb.h"
#include "cli/verb.h"

namespace pipescope::cli {
namespace {

namespace bench = kernels::bench;

constexpr const char* kExamples =
    "pipescope kernels list\n"
    "pipescope kernels check --device cpu\n"
    "pipescope kernels bench --device cuda --json bench.json\n"
    "pipescope kernels bench --device cuda --kernel gemm --sms 112\n"
    "pipescope kernels predict --kernel swiglu";

constexpr const char* kListExamples =
    "pipescope kernels list\npipescope kernels list --format json";
constexpr const char* kCheckExamples =
    "pipescope kernels check\npipescope kernels check --device cuda --kernel quantize --seed 7";
constexpr const char* kBenchExamples =
    "pipescope kernels bench\npipescope kernels bench --device cuda --interference --json b.json";

int Check(const KernelsOptions& o) {
  if (Status ok = CheckOutputs({o.json}, ""); !ok) return Complain(ok.error());
  const auto report = bench::RunChecks(RequestOf(o), ProgressOnStderr());
  if (!report) return Complain(report.error());
  const int emitted =
      EmitAll({{o.json, report->json}}, "", o.format == "json" ? report->json : report->text);
  return emitted != kOk ? emitted : report->well ? kOk : kCheckFailed;
}

int Bench(const KernelsOptions& o) {
  if (Status ok = CheckOutputs({o.json}, ""); !ok) return Complain(ok.error());
  const auto report = bench::RunBench(RequestOf(o), ProgressOnStderr());
  if (!report) return Complain(report.error());
  const std::string json = BenchJson(*report);
  const int emitted = EmitAll({{o.json, json}}, "", o.format == "json" ? json : BenchText(*report));
  return emitted != kOk ? emitted : report->failures.empty() ? kOk : kCheckFailed;
}

void AddFormat(CLI::App& verb, KernelsOptions& o) {
  verb.add_option("--format", o.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

}  // namespace

void AddKernelsVerb(CLI::App& app, int& exit_code) {
  CLI::App* verb = app.add_subcommand("kernels", "The real kernels: what there is, right, fast.");
  verb->require_subcommand(1);
  const auto o = std::make_shared<KernelsOptions>();
  CLI::App* list = verb->add_subcommand("list", "Every kernel, and what it is compared with.");
  AddFormat(*list, *o);
  list->callback([&exit_code, o] {
    exit_code = Emit("", o->format == "json" ? bench::ListJson() : bench::ListText());
  });
  CLI::App* check = verb->add_subcommand("check", "Kernels against their truths; 1 if one is off.");
  AddKernelsOptions(*check, *o);
  AddFormat(*check, *o);
  check->add_option("--seed", o->seed, "Of the random inputs")->capture_default_str();
  check->add_option("--json", o->json, "Write the results to this file, too")->type_name("FILE");
  check->callback([&exit_code, o] { exit_code = Check(*o); });
  CLI::App* timed = verb->add_subcommand("bench", "Kernels beside what else does their work.");
  AddKernelsOptions(*timed, *o);
  AddFormat(*timed, *o);
  timed->add_option("--json", o->json, "Write the results to this file, too")->type_name("FILE");
  timed->add_option("--sms", o->sms, "SMs that GEMMs may use; 0: all")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  timed->add_flag("--interference", o->interference, "Also beside communication on 0 to 32 SMs");
  timed->callback([&exit_code, o] { exit_code = Bench(*o); });
  AddKernelsPredictVerb(*verb, exit_code);
  AddKernelsExchangeVerb(*verb, exit_code);
  LeadWithExamples(*list, kListExamples);
  LeadWithExamples(*check, kCheckExamples);
  LeadWithExamples(*timed, kBenchExamples);
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
