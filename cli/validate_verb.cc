#include "cli/validate_verb.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <thread>

#include "cli/examples.h"
#include "cli/validate_device.h"
#include "cli/validate_options.h"
#include "cli/validate_processes.h"
#include "cli/validate_run.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "kernels/executor/threads.h"
#include "kernels/timing.h"
#include "kernels/transformer/messages.h"
#include "reports/perfetto.h"
#include "reports/validate_page.h"

namespace pipescope::cli {
namespace {

constexpr const char* kExamples =
    "pipescope validate\n"
    "pipescope validate --model tiny,small,medium --repetitions 11\n"
    "pipescope validate --schedules 1f1b,zb1p,dualpipe --ranks 4,8 --microbatches 16\n"
    "pipescope validate --ranks 2 --dp 2 --ep 2 --schedules 1f1b,dualpipe\n"
    "pipescope validate --device cuda --model large --ranks 4 --schedules 1f1b,zb1p,dualpipe\n"
    "mpirun -n 4 pipescope validate --device cuda --transport mpi --model large --ranks 4\n"
    "mpirun -n 4 pipescope validate --transport mpi --ranks 2 --dp 2 --ep 2\n"
    "pipescope validate --model small-dense --format json --html report.html\n"
    "pipescope validate --schedules order.csv,1f1b --ranks 4 --microbatches 12 --trace trace.json";

constexpr int kCommunicationSms = 8;  // of a rank

// "AMD EPYC" of a line "model name : AMD EPYC".
std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

// 0 where the system does not tell.
double Load() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

Status MeasureHops(reports::ValidateResult& result) {
  for (const bool awake : {true, false}) {
    executor::ThreadOptions options;
    options.may_wait_awake = awake;
    options.may_take_turns = false;  // two ranks on one processor would wait for each other's steps
    executor::ThreadCrew threads(options);
    const auto hop = transformer::MeasureHop(threads, awake);
    if (!hop) return Fail(hop.error());
    (awake ? result.hop : result.hop_woken) = Seconds(*hop);
  }
  return {};
}

Status RunGroups(const ValidateOptions& o, executor::Crew& crew, reports::ValidateResult& result) {
  return o.ForGroups([&](ValidateGroup group) -> Status {
    const int sms = o.communication_sms.value_or(kCommunicationSms);
    const auto device =
        ValidateDevice::Open({o.device, o.gpus, sms}, group.ranks * o.replicas, crew);
    if (!device) return Fail(device.error());
    group.maker = (*device)->maker();
    auto cases = RunGroup(group, o.schedules, {result.hop, result.hop_woken}, crew);
    if (!cases) return Fail(cases.error());
    result.cases.insert(result.cases.end(), cases->begin(), cases->end());
    return {};
  });
}

int Show(const ValidateOptions& o, const reports::ValidateResult& result) {
  const std::string json = ValidateJson(result);
  std::vector<OutputFile> files;
  if (!o.json.empty()) files.push_back({o.json, json});
  if (!o.html.empty()) {
    files.push_back({o.html, reports::ValidatePage(result, o.command, kVersion)});
  }
  if (!o.trace.empty()) {
    files.push_back({o.trace, reports::PerfettoTrace(reports::ValidateSteps(result))});
  }
  const int emitted = EmitAll(files, o.output, o.format == "json" ? json : ValidateText(result));
  return emitted == kOk && !AllEqualOneRank(result) ? kCheckFailed : emitted;
}

// The same on all processes of a crew; only one of them has something to show.
Status Measure(const ValidateOptions& o, executor::Crew& crew, reports::ValidateResult& result) {
  result.device = o.device;
  result.transport = o.transport;
  result.processors = crew.processors();
  result.repetitions = o.Repetitions();
  result.load = Load();
  if (crew.post() == nullptr) {
    if (Status ok = MeasureHops(result); !ok) return ok;
  }
  if (Status ok = RunGroups(o, crew, result); !ok) return ok;
  // Last: it uses CUDA, which a process's own GPU wants to see first.
  const std::string name = crew.leads() ? DeviceName(o.device) : "";
  result.machine = name.empty() ? ProcessorName() : name;
  result.processes = crew.ranks().value_or(1);
  result.clock_accuracy = crew.clock_accuracy();
  return {};
}

int ValidateOnThreads(const ValidateOptions& o) {
  if (const auto refused = RefuseInJob()) return *refused;
  if (Status ok = o.Check(); !ok) return Complain(ok.error());
  if (Status ok = o.CheckFiles(); !ok) return Complain(ok.error());
  executor::ThreadOptions options;
  options.patience = o.HangAfter();
  executor::ThreadCrew crew(options);
  reports::ValidateResult result;
  if (Status ok = Measure(o, crew, result); !ok) return Complain(ok.error());
  return Show(o, result);
}

int Validate(const ValidateOptions& o) {
  // As on a GPU: otherwise schedules that hold more activations pay for more pages in each step.
  kernels::KeepMemory();
  if (o.transport == "threads") return ValidateOnThreads(o);
  ProcessJob job;
  job.ranks = o.ranks;
  job.replicas = o.replicas;
  job.patience = o.HangAfter();
  reports::ValidateResult result;
  return RunProcessJob(
      job,
      [&](bool first) {
        Status ok = o.Check();
        return ok && first ? o.CheckFiles() : ok;
      },
      [&](executor::Crew& crew) { return Measure(o, crew, result); },
      [&] { return Show(o, result); });
}

}  // namespace

void AddValidateVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "validate",
      "Trains a small model under schedules, and compares with what is predicted. Exits with 1 "
      "where a loss differs from that of one rank.");
  const auto o = std::make_shared<ValidateOptions>();
  o->command = command;
  o->AddTo(*verb);
  verb->callback([&exit_code, o] { exit_code = Validate(*o); });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
