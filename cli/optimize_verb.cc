#include "cli/optimize_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/examples.h"
#include "cli/optimize_inputs.h"
#include "cli/optimize_solve.h"
#include "cli/verb.h"
#include "reports/schedule_json.h"
#include "reports/schedule_text.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"

namespace pipescope::cli {
namespace {

using schedules::Goal;
using schedules::PlacedProblem;
using schedules::Schedule;

// By how much the order beats the reference, and at what bubble.
std::string AgainstText(const Outcome& outcome, Goal goal) {
  if (outcome.compared.size() < 2) return "";
  const Compared& own = outcome.compared.front();
  const Compared& other = outcome.compared.back();
  const double saved = 1 - own.value(goal) / other.value(goal);
  const char* const name = goal == Goal::kSpan ? "span" : "makespan";
  const std::string told =
      saved > 1e-9
          ? fmt::format("shorter than {} by {:.3g} % of the {}", other.name, 100 * saved, name)
      : saved < -1e-9
          ? fmt::format("longer than {} by {:.3g} % of the {}", other.name, -100 * saved, name)
          : fmt::format("as long as {}", other.name);
  return fmt::format("{}{}; mean bubble of a rank {:.6g} -> {:.6g}\n", told,
                     other.over ? ", which is over the limit" : "", other.bubble, own.bubble);
}

std::string ComparedText(const Outcome& outcome, Goal goal) {
  std::string text = fmt::format(
      "lower bound   {:.6g} of the {}: {}\n\n", outcome.lower_bound,
      goal == Goal::kSpan ? "span" : "makespan",
      outcome.proven ? "reached, no order has a smaller one"
                     : fmt::format("the order is within {:.2g} % of it",
                                   100 * (outcome.best.value / outcome.lower_bound - 1)));
  text += fmt::format("  {:<10}{:>12}{:>13}{:>8}\n", "compared", "span", "makespan", "memory");
  for (const Compared& one : outcome.compared) {
    text += fmt::format("  {:<10}{:>12.6g}{:>13.6g}{:>8.4g}{}\n", one.name, one.span, one.makespan,
                        one.peak, one.over ? "  over the limit" : "");
  }
  return text + "\n" + AgainstText(outcome, goal);
}

std::string AddJson(std::string json, const Outcome& outcome, const OptimizeInputs& inputs,
                    const OptimizeOptions& options) {
  nlohmann::ordered_json more;
  const PlacedProblem& problem = inputs.problem;
  const std::vector<double>& limit = problem.limit;
  more["method"] = options.method;
  more["placement"] = options.placement;
  more["goal"] = problem.goal == Goal::kSpan ? "span" : "makespan";
  more["overlap"] = options.overlap;
  more["searched"] = {{"orders", outcome.best.orders}, {"from", outcome.best.from}};
  more["lower_bound"] = outcome.lower_bound;
  more["proven"] = outcome.proven;
  const bool same = std::equal(limit.begin() + 1, limit.end(), limit.begin());
  more["memory_limit"] =
      same ? nlohmann::ordered_json(limit.front()) : nlohmann::ordered_json(limit);
  more["memory_unit"] = inputs.memory_unit;
  for (const schedules::MemoryDeltas& memory : problem.memory) {
    more["memory"].push_back({{"F", memory.forward},
                              {"I", memory.input_grad},
                              {"W", memory.weight_grad},
                              {"during_I", memory.during_input_grad}});
  }
  more["inputs"] = inputs.words;
  for (const Compared& one : outcome.compared) {
    more["compared"][one.name] = {{"span", one.span},
                                  {"makespan", one.makespan},
                                  {"mean_bubble", one.bubble},
                                  {"peak_memory", one.peak},
                                  {"within_limit", !one.over}};
  }
  json.resize(json.size() - 3);  // "\n}\n"
  return json + "," + more.dump(2).substr(1) + "\n";
}

Result<std::string> Render(const OptimizeOptions& options) {
  auto inputs = ReadInputs(options);
  if (!inputs) return Fail(inputs.error());
  const PlacedProblem& problem = inputs->problem;
  auto outcome = Solve(problem, options);
  if (!outcome) return Fail(outcome.error());
  const Schedule& schedule = outcome->schedule;
  if (options.format == "csv") return schedules::ToCsv(schedule);
  auto prepared = schedules::Prepare(schedule);
  if (!prepared) return Fail(prepared.error());
  const schedules::Timing timing = Evaluate(*prepared, problem.costs);
  if (options.format == "json") {
    return AddJson(reports::ScheduleJson(schedule, *prepared, problem.costs, timing), *outcome,
                   *inputs, options);
  }
  const std::string note =
      fmt::format("method {}: {} orders timed, the best from {}\n              {} placement{}; {}",
                  options.method, outcome->best.orders, outcome->best.from, options.placement,
                  options.overlap ? " with overlapped pairs" : "", inputs->words);
  std::string text = reports::ScheduleText({.schedule = schedule,
                                            .prepared = *prepared,
                                            .costs = problem.costs,
                                            .timing = timing,
                                            .family = nullptr,
                                            .options = {},
                                            .source = "",
                                            .note = note,
                                            .reproduce = Reproduce(options)});
  const size_t end = text.rfind("\nreproduce");
  return text.insert(end, "\n" + ComparedText(*outcome, problem.goal));
}

void AddInputs(CLI::App& verb, OptimizeOptions& options) {
  verb.add_option("--experiment", options.experiment,
                  "Ranks, micro-batches, costs by stage (ms), hops and memory (GiB) of this "
                  "experiment, in place of the options for them")
      ->type_name("EXPERIMENT.yaml");
  verb.add_option("--set", options.overrides, "Set a field of the experiment; may be repeated")
      ->type_name("a.b=c")
      ->allow_extra_args(false);
  verb.add_option("--ranks", options.ranks, "Pipeline ranks")->type_name("P");
  verb.add_option("--microbatches", options.microbatches, "Micro-batches a step")->type_name("M");
  verb.add_option("--cost", options.cost,
                  "Costs of one chunk, default F=1,I=1,W=1,comm=0; or a JSON or YAML file with "
                  "those names, numbers or lists by stage")
      ->type_name("F=1,...|FILE");
  verb.add_option("--memory-limit", options.limits,
                  "Of every rank, or one number a rank; in activations of one chunk (default: what "
                  "1f1b, zbv or dualpipe hold), with --experiment in GiB of activations")
      ->delimiter(',')
      ->type_name("X[,X...]");
  verb.add_option("--input-grad-frees", options.input_grad_frees,
                  "The share of an activation that I frees, W frees the rest; default 0.5")
      ->type_name("SHARE");
}

void AddOptions(CLI::App& verb, OptimizeOptions& options) {
  AddInputs(verb, options);
  verb.add_option("--placement", options.placement,
                  "linear (default): a stage a rank; v: stages r and 2P-1-r, as zbv; "
                  "bidirectional: two copies, as dualpipe")
      ->check(CLI::IsMember({"linear", "v", "bidirectional"}))
      ->type_name("NAME");
  verb.add_flag("--overlap", options.overlap,
                "Allow overlapped pairs, of cost FB, starting from dualpipe or dualpipev");
  verb.add_option("--goal", options.goal,
                  "What is to be short: span (default), or makespan (with --overlap or "
                  "--experiment)")
      ->check(CLI::IsMember({"span", "makespan"}))
      ->type_name("NAME");
  verb.add_option("--method", options.method,
                  "heuristic: milliseconds; search (default): that, then a local search, seconds; "
                  "exact: that, then a mixed-integer program, small linear ones only")
      ->check(CLI::IsMember({"heuristic", "search", "exact"}))
      ->type_name("METHOD");
  verb.add_option("--time-limit", options.seconds, "Of exact, default 60")->type_name("SECONDS");
  verb.add_option("--format", options.format, "Default text; csv is PyTorch's compute-only CSV")
      ->check(CLI::IsMember({"text", "json", "csv"}))
      ->type_name("FORMAT");
  verb.add_option("-o,--output", options.output, "Write there instead of to stdout")
      ->type_name("FILE");
}

}  // namespace

void AddOptimizeVerb(CLI::App& schedule, int& exit_code) {
  CLI::App* verb = schedule.add_subcommand(
      "optimize", "The shortest order for given costs and memory that a search finds");
  LeadWithExamples(
      *verb,
      "pipescope schedule optimize --ranks 4 --microbatches 8 --cost F=10,I=12,W=8,comm=1\n"
      "pipescope schedule optimize --ranks 8 --microbatches 32 --cost costs.yaml "
      "--memory-limit 12\n"
      "pipescope schedule optimize --ranks 3 --microbatches 4 --method exact --format json\n"
      "pipescope schedule optimize --ranks 4 --microbatches 8 --placement v --memory-limit 10\n"
      "pipescope schedule optimize --ranks 8 --microbatches 20 --placement bidirectional --overlap "
      "--cost F=10,I=11,W=8,FB=22,comm=1\n"
      "pipescope schedule optimize --experiment experiments/deepseek_v3_h800.yaml "
      "--placement bidirectional --overlap --format csv -o order.csv");
  const auto options = std::make_shared<OptimizeOptions>();
  AddOptions(*verb, *options);
  verb->callback([options, &exit_code] {
    auto text = Render(*options);
    exit_code = text ? Emit(options->output, *text) : Complain(text.error());
  });
}

}  // namespace pipescope::cli
