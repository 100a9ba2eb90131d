#include "cli/validate_verb.h"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "cli/examples.h"
#include "cli/validate_device.h"
#include "cli/validate_processes.h"
#include "cli/validate_run.h"
#include "cli/verb.h"
#include "cli/version.h"
#include "kernels/executor/threads.h"
#include "kernels/timing.h"
#include "kernels/transformer/messages.h"
#include "reports/perfetto.h"
#include "reports/validate_page.h"
#include "schedules/registry.h"

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
    "pipescope validate --schedules order.csv,1f1b --trace trace.json";

constexpr double kPatience = 30;

struct Options {
  std::string device = "cpu";
  std::vector<std::string> schedules = {"gpipe", "1f1b",   "zb1p",    "interleaved-1f1b",
                                        "zbv",   "1f1b-v", "chimera", "dualpipe"};
  std::vector<std::string> models = {"small"};
  std::vector<int> ranks = {2};
  std::vector<int> microbatches = {8};
  int layers = 0;  // 0: two a rank
  int replicas = 1, expert_ranks = 1;
  int repetitions = 5;
  std::optional<double> patience;
  double hang_after = 60;
  int gpus = 0;  // 0: all
  int communication_sms = 8;
  std::string transport = "threads";
  bool bf16 = false, fp8 = false;
  std::string format = "text";
  std::string json, html, trace, command, output;
};

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

Status CheckOptions(const Options& o) {
  if (o.gpus > 0 && o.device != "cuda") return Fail("--gpus: expected --device cuda");
  if (o.device != "cpu" && o.fp8) return Fail("--fp8: expected --device cpu");
  if (o.replicas % o.expert_ranks != 0) {
    return Fail(
        fmt::format("--ep: '{}': expected a divisor of --dp, {}", o.expert_ranks, o.replicas));
  }
  for (const std::string& name : o.schedules) {
    if (name.ends_with(".csv")) continue;  // read for each group
    if (auto family = schedules::FindFamily(name); !family) return Fail(family.error());
  }
  for (const std::string& name : o.models) {
    if (auto model = transformer::FindModel(name); !model) {
      return Fail("--model: " + model.error().message);
    }
  }
  return {};
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

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
}

Status RunGroups(const Options& o, executor::Crew& crew, reports::ValidateResult& result) {
  for (const std::string& model : o.models) {
    for (const int ranks : o.ranks) {
      for (const int microbatches : o.microbatches) {
        const int layers = o.layers > 0 ? o.layers : 2 * ranks;
        const auto device =
            ValidateDevice::Open({o.device, o.gpus, o.communication_sms}, ranks * o.replicas, crew);
        if (!device) return Fail(device.error());
        auto cases = RunGroup(
            {model, ranks, microbatches, o.replicas, o.expert_ranks, layers, o.repetitions,
             *o.patience, o.bf16 || o.device != "cpu", o.fp8, !o.html.empty() || !o.trace.empty(),
             (*device)->maker(), Milliseconds(o.hang_after)},
            o.schedules, {result.hop, result.hop_woken}, crew);
        if (!cases) return Fail(cases.error());
        result.cases.insert(result.cases.end(), cases->begin(), cases->end());
      }
    }
  }
  return {};
}

int Show(const Options& o, const reports::ValidateResult& result) {
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
Status Measure(const Options& o, executor::Crew& crew, reports::ValidateResult& result) {
  result.device = o.device;
  result.transport = o.transport;
  result.processors = crew.processors();
  result.repetitions = o.repetitions;
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

int ValidateOnThreads(const Options& o) {
  if (const auto refused = RefuseInJob()) return *refused;
  if (Status ok = CheckOptions(o); !ok) return Complain(ok.error());
  executor::ThreadOptions options;
  options.patience = Milliseconds(o.hang_after);
  executor::ThreadCrew crew(options);
  reports::ValidateResult result;
  if (Status ok = Measure(o, crew, result); !ok) return Complain(ok.error());
  return Show(o, result);
}

int Validate(const Options& o) {
  // As on a GPU: otherwise schedules that hold more activations pay for more pages in each step.
  kernels::KeepMemory();
  if (o.transport == "threads") return ValidateOnThreads(o);
  ProcessJob job;
  job.ranks = o.ranks;
  job.replicas = o.replicas;
  job.patience = Milliseconds(o.hang_after);
  reports::ValidateResult result;
  return RunProcessJob(
      job, [&] { return CheckOptions(o); },
      [&](executor::Crew& crew) { return Measure(o, crew, result); },
      [&] { return Show(o, result); });
}

void AddWhere(CLI::App& verb, Options& o) {
  verb.add_option(
          "--device", o.device,
          "cpu; cuda: GPUs, the SMs of each divided among its ranks, in BF16; emulated: the same "
          "run with threads that play the GPUs")
      ->check(CLI::IsMember({"cpu", "cuda", "emulated"}))
      ->capture_default_str();
  verb.add_option(
          "--gpus", o.gpus,
          "At most so many of a machine's; default: all that its ranks can have to themselves")
      ->check(CLI::Range(1, 64));
  verb.add_option("--communication-sms", o.communication_sms,
                  "Of each rank on a GPU, for dispatch and combine; 0: they share the rank's. Of "
                  "processes, for each link to another one at most")
      ->check(CLI::Range(0, 128))
      ->capture_default_str();
  verb.add_option("--transport", o.transport,
                  "threads: ranks are threads of this process; mpi: processes, one for each rank, "
                  "that mpirun starts")
      ->check(CLI::IsMember({"threads", "mpi"}))
      ->capture_default_str();
}

void AddWhat(CLI::App& verb, Options& o) {
  verb.add_option("--schedules", o.schedules,
                  "Schedules to run: families, or files of orders (.csv)")
      ->delimiter(',')
      ->type_name("NAME,NAME,...")
      ->capture_default_str();
  verb.add_option("--model", o.models,
                  "micro, tiny, small, medium, large (for GPUs), or one of them with -dense")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->capture_default_str();
  verb.add_option("--ranks", o.ranks, "Pipeline ranks")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->type_name("N,...")
      ->capture_default_str();
  verb.add_option("--microbatches", o.microbatches, "Of a step")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->type_name("N,...")
      ->capture_default_str();
  verb.add_option("--dp", o.replicas, "Pipelines beside each other, each with its micro-batches")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb.add_option("--ep", o.expert_ranks, "How many of them share their experts; divides --dp")
      ->check(CLI::Range(1, 8))
      ->capture_default_str();
  verb.add_option("--layers", o.layers, "Of the model; default: two a rank")
      ->check(CLI::Range(1, 256));
  verb.add_flag("--fp8", o.fp8, "Multiply in FP8 in linear layers, by DeepSeek-V3's recipe");
  verb.add_flag("--bf16", o.bf16, "Round weights and activations to BF16");
}

}  // namespace

void AddValidateVerb(CLI::App& app, const std::string& command, int& exit_code) {
  CLI::App* verb = app.add_subcommand(
      "validate", "Trains a small model under schedules, and compares with what is predicted.");
  const auto o = std::make_shared<Options>();
  o->command = command;
  AddWhere(*verb, *o);
  AddWhat(*verb, *o);
  CLI::Option* repetitions =
      verb->add_option("--repetitions", o->repetitions,
                       "Steps of each schedule, after those that warm up, at the speed that the "
                       "machine has most of the time: of twice as many at most")
          ->check(CLI::Range(1, 1000))
          ->capture_default_str();
  verb->add_option("--patience", o->patience,
                   "Seconds in which to repeat further, until as many steps are undisturbed by "
                   "others and medians are known within 0.5 %; 30, but 0 with --repetitions")
      ->check(CLI::Range(0.0, 86400.0));
  verb->add_option("--hang-after", o->hang_after,
                   "Seconds after which ranks that get nowhere end the run")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str();
  verb->add_option("--format", o->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb->add_option("--json", o->json, "Write JSON to this file");
  verb->add_option("--html", o->html, "Write the report page to this file");
  verb->add_option("--trace", o->trace,
                   "Write predictions and runs as a trace for ui.perfetto.dev to this file");
  verb->add_option("-o,--output", o->output, "Write to this file instead of standard output");
  verb->callback([&exit_code, o, repetitions] {
    if (!o->patience) o->patience = repetitions->count() > 0 ? 0 : kPatience;
    exit_code = Validate(*o);
  });
  LeadWithExamples(*verb, kExamples);
}

}  // namespace pipescope::cli
