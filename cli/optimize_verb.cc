#include "cli/optimize_verb.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/examples.h"
#include "reports/schedule_json.h"
#include "reports/schedule_text.h"
#include "schedules/csv.h"
#include "schedules/evaluate.h"
#include "schedules/optimize/exact.h"
#include "schedules/optimize/search.h"
#include "schedules/registry.h"

namespace pipescope::cli {
namespace {

using schedules::Problem;

struct OptimizeOptions {
  int64_t ranks = 0, microbatches = 0;
  std::string cost;
  std::optional<double> limit;  // in activations; as many as ranks if not given
  double input_grad_frees = 0.5;
  std::string method = "search";
  double seconds = 60;
  std::string format = "text";
  std::string output;
};

// One line of the comparison.
struct Compared {
  std::string name;
  double span = 0, makespan = 0, peak = 0;
};

struct Outcome {
  schedules::Optimized best;
  double lower_bound = 0;
  bool proven = false;
  std::vector<Compared> compared;
};

Result<Problem> MakeProblem(const OptimizeOptions& options) {
  for (const auto& [name, value] :
       {std::pair{"--ranks", options.ranks}, std::pair{"--microbatches", options.microbatches}}) {
    if (value >= 1 && value <= schedules::kMostOptimizedActions) continue;
    return schedules::BadOption(name, value,
                                fmt::format("expected 1 to {}", schedules::kMostOptimizedActions));
  }
  if (!(options.input_grad_frees >= 0 && options.input_grad_frees <= 1)) {
    return Fail(fmt::format("--input-grad-frees {:g}: expected a share from 0 to 1",
                            options.input_grad_frees));
  }
  const double limit = options.limit.value_or(static_cast<double>(options.ranks));
  if (!(limit >= 1 && std::isfinite(limit))) {
    return Fail(fmt::format(
        "--memory-limit {:g}: expected at least 1, the activations of one chunk", limit));
  }
  if (!(options.seconds > 0 && options.seconds <= 86'400)) {
    return Fail(fmt::format("--time-limit {:g}: expected seconds, above 0, at most 86400",
                            options.seconds));
  }
  Problem problem;
  problem.ranks = static_cast<int>(options.ranks);
  problem.microbatches = static_cast<int>(options.microbatches);
  if (!options.cost.empty()) {
    auto costs = schedules::ReadCosts(options.cost);
    if (!costs) return Fail(costs.error());
    problem.costs = std::move(*costs);
  }
  const double freed = options.input_grad_frees;
  problem.memory.assign(static_cast<size_t>(options.ranks), {1, -freed, freed - 1});
  problem.limit.assign(static_cast<size_t>(options.ranks), limit);
  if (auto ok = CheckProblem(problem); !ok) return Fail(ok.error());
  return problem;
}

// The most that any rank holds, where I frees a share.
double Peak(const schedules::Schedule& schedule, double input_grad_frees) {
  double most = 0;
  for (const auto& rank : schedule.actions) {
    double held = 0;
    for (const schedules::Action& action : rank) {
      using enum schedules::ActionKind;
      held += action.kind == kForward      ? 1
              : action.kind == kInputGrad  ? -input_grad_frees
              : action.kind == kWeightGrad ? input_grad_frees - 1
                                           : -1;
      most = std::max(most, held);
    }
  }
  return most;
}

Result<Compared> Measure(const schedules::Schedule& schedule, const Problem& problem,
                         const OptimizeOptions& options) {
  auto prepared = schedules::Prepare(schedule);
  if (!prepared) return Fail(prepared.error());
  const schedules::Timing timing = Evaluate(*prepared, problem.costs);
  return Compared{schedule.name, timing.span, timing.makespan,
                  Peak(schedule, options.input_grad_frees)};
}

Result<Outcome> Solve(const Problem& problem, const OptimizeOptions& options) {
  Outcome outcome;
  outcome.best = schedules::Heuristic(problem);
  outcome.lower_bound = schedules::LowerBound(problem);
  if (options.method != "heuristic") {
    outcome.best = Search(problem, std::move(outcome.best), schedules::SearchBudget(problem));
  }
  if (options.method == "exact") {
    auto exact = SolveExactly(problem, std::move(outcome.best), options.seconds);
    if (!exact) return Fail(exact.error());
    outcome.best = std::move(exact->best);
    outcome.lower_bound = exact->lower_bound;
    outcome.proven = exact->proven;
  }
  outcome.proven = outcome.proven || outcome.best.span <= outcome.lower_bound * (1 + 1e-9);
  std::vector<schedules::Schedule> others = {ToSchedule(problem, outcome.best.order, "optimized")};
  for (const char* name : {"1f1b", "zb-h1"}) {
    auto other = schedules::Generate(name, {options.ranks, options.microbatches, {}});
    if (!other) return Fail(other.error());
    others.push_back(std::move(*other));
  }
  for (const auto& schedule : others) {
    auto measured = Measure(schedule, problem, options);
    if (!measured) return Fail(measured.error());
    outcome.compared.push_back(*measured);
  }
  return outcome;
}

std::string Reproduce(const OptimizeOptions& options) {
  std::vector<std::string> words = {"pipescope", "schedule", "optimize"};
  const auto add = [&](const char* name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  add("--ranks", fmt::format("{}", options.ranks));
  add("--microbatches", fmt::format("{}", options.microbatches));
  if (!options.cost.empty()) add("--cost", options.cost);
  if (options.limit) add("--memory-limit", fmt::format("{}", *options.limit));
  if (options.input_grad_frees != 0.5) {
    add("--input-grad-frees", fmt::format("{}", options.input_grad_frees));
  }
  add("--method", options.method);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return CommandLine(static_cast<int>(argv.size()), argv.data());
}

std::string ComparedText(const Outcome& outcome, double limit) {
  std::string text = fmt::format(
      "lower bound   {:.6g} of the span: {}\n\n", outcome.lower_bound,
      outcome.proven ? "reached, no order has a smaller one"
                     : fmt::format("the order is within {:.2g} % of it",
                                   100 * (outcome.best.span / outcome.lower_bound - 1)));
  text += fmt::format("  {:<10}{:>12}{:>13}{:>8}\n", "compared", "span", "makespan", "memory");
  for (const Compared& one : outcome.compared) {
    text += fmt::format("  {:<10}{:>12.6g}{:>13.6g}{:>8.4g}{}\n", one.name, one.span, one.makespan,
                        one.peak, one.peak > limit * (1 + 1e-9) ? "  over the limit" : "");
  }
  return text;
}

std::string AddJson(std::string json, const Outcome& outcome, const OptimizeOptions& options) {
  nlohmann::ordered_json more;
  more["method"] = options.method;
  more["searched"] = {{"orders", outcome.best.orders}, {"from", outcome.best.from}};
  more["lower_bound"] = outcome.lower_bound;
  more["proven"] = outcome.proven;
  more["memory_limit"] = options.limit.value_or(static_cast<double>(options.ranks));
  more["input_grad_frees"] = options.input_grad_frees;
  for (const Compared& one : outcome.compared) {
    more["compared"][one.name] = {
        {"span", one.span}, {"makespan", one.makespan}, {"peak_memory", one.peak}};
  }
  json.resize(json.size() - 3);  // "\n}\n"
  return json + "," + more.dump(2).substr(1) + "\n";
}

Result<std::string> Render(const OptimizeOptions& options) {
  auto problem = MakeProblem(options);
  if (!problem) return Fail(problem.error());
  auto outcome = Solve(*problem, options);
  if (!outcome) return Fail(outcome.error());
  const auto schedule = ToSchedule(*problem, outcome->best.order, "optimized");
  if (options.format == "csv") return schedules::ToCsv(schedule);
  auto prepared = schedules::Prepare(schedule);
  if (!prepared) return Fail(prepared.error());
  const schedules::Timing timing = Evaluate(*prepared, problem->costs);
  if (options.format == "json") {
    return AddJson(reports::ScheduleJson(schedule, *prepared, problem->costs, timing), *outcome,
                   options);
  }
  const double limit = problem->limit.front();
  const std::string note = fmt::format(
      "method {}: {} orders timed, the best from {}\n"
      "              memory limit {:g} activations of one chunk, of which I frees {:g} and W {:g}",
      options.method, outcome->best.orders, outcome->best.from, limit, options.input_grad_frees,
      1 - options.input_grad_frees);
  std::string text = reports::ScheduleText({.schedule = schedule,
                                            .prepared = *prepared,
                                            .costs = problem->costs,
                                            .timing = timing,
                                            .family = nullptr,
                                            .options = {},
                                            .source = "",
                                            .note = note,
                                            .reproduce = Reproduce(options)});
  const size_t end = text.rfind("\nreproduce");
  return text.insert(end, "\n" + ComparedText(*outcome, limit));
}

void AddOptions(CLI::App& verb, OptimizeOptions& options) {
  verb.add_option("--ranks", options.ranks, "Pipeline ranks, of one stage each")
      ->required()
      ->type_name("P");
  verb.add_option("--microbatches", options.microbatches, "Micro-batches a step")
      ->required()
      ->type_name("M");
  verb.add_option("--cost", options.cost,
                  "Costs of one chunk, default F=1,I=1,W=1,comm=0; or a JSON or YAML file with "
                  "those names, numbers or lists by stage")
      ->type_name("F=1,...|FILE");
  verb.add_option("--memory-limit", options.limit,
                  "Of every rank, in activations of one chunk; default P, as 1f1b needs")
      ->type_name("X");
  verb.add_option("--input-grad-frees", options.input_grad_frees,
                  "The share of an activation that I frees, W frees the rest; default 0.5")
      ->type_name("SHARE");
  verb.add_option("--method", options.method,
                  "heuristic: milliseconds; search (default): that, then a local search, seconds; "
                  "exact: that, then a mixed-integer program, small sizes only")
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
      "optimize", "The order with the least span for given costs and memory, backwards split");
  LeadWithExamples(
      *verb,
      "pipescope schedule optimize --ranks 4 --microbatches 8 --cost F=10,I=12,W=8,comm=1\n"
      "pipescope schedule optimize --ranks 8 --microbatches 32 --cost costs.yaml "
      "--memory-limit 12\n"
      "pipescope schedule optimize --ranks 3 --microbatches 4 --method exact --format json\n"
      "pipescope schedule optimize --ranks 4 --microbatches 8 --format csv -o order.csv");
  const auto options = std::make_shared<OptimizeOptions>();
  AddOptions(*verb, *options);
  verb->callback([options, &exit_code] {
    auto text = Render(*options);
    exit_code = text ? Emit(options->output, *text) : Complain(text.error());
  });
}

}  // namespace pipescope::cli
