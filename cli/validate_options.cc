#include "cli/validate_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/verb.h"
#include "schedules/registry.h"

namespace pipescope::cli {
namespace {

constexpr double kPatience = 30;
constexpr int kMostRanks = 256;  // in all: each is a thread or a process with a model's part

ValidateGroup GroupOf(const ValidateOptions& o, const std::string& model, int ranks,
                      int microbatches) {
  ValidateGroup group;
  group.model = model;
  group.ranks = ranks;
  group.microbatches = microbatches;
  group.replicas = o.replicas;
  group.expert_ranks = o.expert_ranks;
  group.layers = o.layers > 0 ? o.layers : 2 * ranks;
  group.repetitions = o.Repetitions();
  group.patience = o.patience.value_or(o.repetitions ? 0 : kPatience);
  group.bf16 = o.bf16 || o.device != "cpu";
  group.fp8 = o.fp8;
  group.timelines = !o.html.empty() || !o.trace.empty();
  group.hang_after = o.HangAfter();
  return group;
}

template <class T>
Status CheckList(const char* option, const std::vector<T>& list) {
  for (size_t i = 0; i < list.size(); ++i) {
    const bool again = std::find(list.begin(), list.begin() + i, list[i]) != list.begin() + i;
    if (again) return Fail(fmt::format("{}: '{}' stands there twice", option, list[i]));
  }
  return {};
}

Status CheckLists(const ValidateOptions& o) {
  if (Status ok = CheckList("--schedules", o.schedules); !ok) return ok;
  if (Status ok = CheckList("--model", o.models); !ok) return ok;
  if (Status ok = CheckList("--ranks", o.ranks); !ok) return ok;
  return CheckList("--microbatches", o.microbatches);
}

Status CheckNumbers(const ValidateOptions& o) {
  // They pass a check of ranges.
  if (std::isnan(o.hang_after)) return Fail("--hang-after: 'nan': expected seconds");
  if (o.patience && std::isnan(*o.patience)) return Fail("--patience: 'nan': expected seconds");
  if (o.communication_sms && o.device == "cpu") {
    return Fail("--communication-sms: expected --device cuda or emulated");
  }
  const int most = *std::max_element(o.ranks.begin(), o.ranks.end());
  if (most * o.replicas > kMostRanks) {
    return Fail(fmt::format("--ranks {} with --dp {}: {} ranks in all; expected at most {}", most,
                            o.replicas, most * o.replicas, kMostRanks));
  }
  return {};
}

void AddWhere(CLI::App& verb, ValidateOptions& o) {
  verb.add_option(
          "--device", o.device,
          "cpu; cuda: GPUs, the SMs of each divided among its ranks, in BF16; emulated: the same "
          "run with threads that play the GPUs")
      ->check(CLI::IsMember({"cpu", "cuda", "emulated"}))
      ->capture_default_str();
  verb.add_option(
          "--gpus", o.gpus,
          "With --device cuda: at most so many of a machine's GPUs; default: all that its ranks "
          "can have to themselves")
      ->check(CLI::Range(1, 64));
  verb.add_option("--communication-sms", o.communication_sms,
                  "SMs of a rank on a GPU that only dispatch and combine use, 0: they share the "
                  "rank's; where ranks are processes, at most so many for each link to another "
                  "one. Default: 8")
      ->check(CLI::Range(0, 128));
  verb.add_option("--transport", o.transport,
                  "threads: ranks are threads of this process; mpi: processes, one for each rank, "
                  "that mpirun starts")
      ->check(CLI::IsMember({"threads", "mpi"}))
      ->capture_default_str();
}

void AddWhat(CLI::App& verb, ValidateOptions& o) {
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
  verb.add_option("--microbatches", o.microbatches, "Of a step of each pipeline")
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
  verb.add_option("--layers", o.layers,
                  "Of the model, at least one for each stage of a schedule; default: two a rank")
      ->check(CLI::Range(1, 256));
  verb.add_flag("--fp8", o.fp8, "Multiply in FP8 in linear layers, by DeepSeek-V3's recipe");
  verb.add_flag("--bf16", o.bf16, "Round weights and activations to BF16");
}

void AddHow(CLI::App& verb, ValidateOptions& o) {
  verb.add_option("--repetitions", o.repetitions,
                  "Steps of each schedule, after those that warm up, at the speed that the "
                  "machine has most of the time: of twice as many at most. Default: 5")
      ->check(CLI::Range(1, 1000));
  verb.add_option("--patience", o.patience,
                  "Seconds in which to repeat beyond --repetitions, until that many steps were "
                  "not disturbed by other programs and medians are known within 0.5 %. Default: "
                  "30; 0 where --repetitions is given")
      ->check(CLI::Range(0.0, 86400.0));
  verb.add_option("--hang-after", o.hang_after,
                  "Seconds after which ranks that get nowhere end the run")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str();
  verb.add_option("--format", o.format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  verb.add_option("--json", o.json, "Write JSON to this file");
  verb.add_option("--html", o.html, "Write the report page to this file");
  verb.add_option("--trace", o.trace,
                  "Write predictions and runs as a trace for ui.perfetto.dev to this file");
  verb.add_option("-o,--output", o.output, "Write to this file instead of standard output");
}

}  // namespace

std::chrono::milliseconds ValidateOptions::HangAfter() const {
  return std::chrono::milliseconds(static_cast<int64_t>(1000 * hang_after));
}

Status ValidateOptions::Check() const {
  if (Status ok = CheckLists(*this); !ok) return ok;
  if (Status ok = CheckNumbers(*this); !ok) return ok;
  if (gpus > 0 && device != "cuda") return Fail("--gpus: expected --device cuda");
  if (device != "cpu" && fp8) return Fail("--fp8: expected --device cpu");
  if (replicas % expert_ranks != 0) {
    return Fail(fmt::format("--ep: '{}': expected a divisor of --dp, {}", expert_ranks, replicas));
  }
  for (const std::string& name : schedules) {
    if (name.ends_with(".csv")) continue;  // read for each group
    if (auto family = pipescope::schedules::FindFamily(name); !family) {
      return Fail("--schedules: " + family.error().message + ", or a file whose name ends in .csv");
    }
  }
  for (const std::string& name : models) {
    if (auto model = transformer::FindModel(name); !model) {
      return Fail("--model: " + model.error().message);
    }
  }
  return ForGroups([&](const ValidateGroup& group) { return CheckGroup(group, schedules); });
}

Status ValidateOptions::CheckFiles() const { return CheckOutputs({json, html, trace}, output); }

Status ValidateOptions::ForGroups(const std::function<Status(ValidateGroup)>& visit) const {
  for (const std::string& model : models) {
    for (const int of_ranks : ranks) {
      for (const int count : microbatches) {
        if (Status ok = visit(GroupOf(*this, model, of_ranks, count)); !ok) return ok;
      }
    }
  }
  return {};
}

void ValidateOptions::AddTo(CLI::App& verb) {
  AddWhere(verb, *this);
  AddWhat(verb, *this);
  AddHow(verb, *this);
}

}  // namespace pipescope::cli
