#include "cli/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/names.h"

namespace pipescope::cli {
namespace {

std::vector<Explanation> All(const Experiment& e, const StepResult& r) {
  std::vector<Explanation> all = ExplainTimes(e, r);
  for (auto* part : {&ExplainMemory, &ExplainCosts}) {
    for (Explanation& more : (*part)(e, r)) all.push_back(std::move(more));
  }
  return all;
}

// The step's own numbers by the short names that people say.
std::string FullName(const std::string& name) {
  if (name == "mfu") return "mfu.causal";
  if (name == "bubble") return "breakdown_s.bubble";
  if (name == "exposed_communication") return "breakdown_s.exposed_communication";
  if (name == "memory") return "memory.total_peak";
  if (name == "step_time" || name == "pipeline_time") return name + "_s";
  return name;
}

}  // namespace

std::vector<std::string> ExplainedNames(const Experiment& e, const StepResult& r) {
  std::vector<std::string> names;
  for (const Explanation& known : All(e, r)) names.push_back(known.name);
  return names;
}

Result<Explanation> Explain(const Experiment& e, const StepResult& r, const std::string& name) {
  std::vector<std::string> names;
  for (Explanation& known : All(e, r)) {
    if (known.name == FullName(name)) return std::move(known);
    names.push_back(known.name);
  }
  return Fail(fmt::format("--explain {}: no number of that name{}", name.substr(0, 80),
                          Suggestion(name, names)));
}

std::string ExplanationText(const Explanation& x) {
  size_t name = 0, value = 0;
  for (const Term& term : x.terms) {
    name = std::max(name, term.name.size());
    value = std::max(value, term.value.size());
  }
  std::string text = fmt::format("{}: {}\n  = {}\n", x.name, x.meaning, x.formula);
  for (const Term& term : x.terms) {
    const std::string line =
        fmt::format("    {:<{}}  {:>{}}  {}", term.name, name, term.value, value, term.meaning);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text + "  = " + x.shown + "\n";
}

}  // namespace pipescope::cli
