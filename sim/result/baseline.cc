#include "sim/result/baseline.h"

#include <algorithm>

#include "sim/base/fields.h"

namespace pipescope {
namespace {

// Differences in the last digits of a stored figure are no change.
constexpr double kRounding = 1e-9;

std::optional<double> ReadFigure(Fields& fields, const std::string& name) {
  if (!fields.Has(name)) {
    fields.Number(name, 0, 1e30, 0);
    return {};
  }
  return fields.Number(name, 0, 1e30);
}

constexpr const char* kFigures[] = {"step_time_s", "bubble_s", "memory_peak_bytes"};

std::map<std::string, double> ReadTimes(Fields fields) {
  std::map<std::string, double> times;
  for (const std::string& name : fields.Names()) times[name] = fields.Number(name, 0, 1e30);
  return times;
}

Fingerprint ReadRanks(Fields& fields) {
  Fingerprint print;
  if (!fields.Has("ranks")) return print;
  for (Fields& f : fields.Objects("ranks")) {
    RankPrint rank;
    rank.busy_s = f.Number("busy_s", 0, 1e30);
    rank.bubble_s = f.Number("bubble_s", 0, 1e30);
    rank.peak_bytes = f.Number("peak_bytes", 0, 1e30, 0);
    rank.activations_bytes = f.Number("activations_bytes", 0, 1e30, 0);
    rank.actions_s = ReadTimes(f.Object("actions_s"));
    rank.waits_s = ReadTimes(f.Object("waits_s"));
    print.push_back(std::move(rank));
  }
  return print;
}

BaselineCase ReadCase(Fields& f) {
  BaselineCase c;
  if (f.Has("trace")) {
    c.traces = f.Strings("trace");
    if (c.traces.empty()) f.Note("trace", "names no file");
  } else {
    c.experiment = f.String("experiment");
    c.schedule = f.String("schedule");
    if (f.Has("set")) c.overrides = f.Strings("set");
  }
  c.tolerance = f.Number("tolerance", 0, 10, 0);
  Fields by_figure = f.OptionalObject("tolerances");
  for (const char* figure : kFigures) {
    if (by_figure.Has(figure)) c.tolerances[figure] = by_figure.Number(figure, 0, 10);
  }
  c.expected.step_time_s = ReadFigure(f, "step_time_s");
  c.expected.bubble_s = ReadFigure(f, "bubble_s");
  c.expected.memory_peak_bytes = ReadFigure(f, "memory_peak_bytes");
  c.ranks = ReadRanks(f);
  return c;
}

std::string Stem(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.find('.'));
}

}  // namespace

std::string BaselineCase::name() const {
  if (!traces.empty()) {
    const std::string more = traces.size() > 1 ? " to " + Stem(traces.back()) : "";
    return "trace " + Stem(traces.front()) + more;
  }
  std::string text = Stem(experiment) + " " + schedule;
  for (const std::string& override : overrides) text += " " + override;
  return text;
}

Result<std::vector<BaselineCase>> LoadBaseline(const std::string& path) {
  auto document = LoadDocument(path);
  if (!document) return Fail(document.error());
  Reader reader(*document);
  Fields root = reader.Root();
  std::vector<BaselineCase> cases;
  for (Fields& f : root.Objects("cases")) cases.push_back(ReadCase(f));
  if (root.Has("cases") && cases.empty()) root.Note("cases", "holds no case");
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return cases;
}

Metrics MetricsOf(const StepResult& r) {
  Bytes peak;
  for (const RankMemory& m : r.memory) peak = std::max(peak, m.total_peak);
  Metrics metrics{r.step_time.seconds(), r.mean_breakdown().bubble.seconds(), {}};
  if (!r.memory.empty()) metrics.memory_peak_bytes = static_cast<double>(peak.value());
  return metrics;
}

Result<std::vector<MetricCheck>> CheckAgainst(const BaselineCase& baseline, const Metrics& now) {
  std::vector<MetricCheck> checks;
  const auto add = [&](const char* name, std::optional<double> before,
                       std::optional<double> after) {
    if (!before || !after) return;
    const auto own = baseline.tolerances.find(name);
    const double tolerance = own == baseline.tolerances.end() ? baseline.tolerance : own->second;
    const double allowed = *before * (1 + tolerance + kRounding);
    checks.push_back({name, *before, *after, *after > allowed});
  };
  add("step_time_s", baseline.expected.step_time_s, now.step_time_s);
  add("bubble_s", baseline.expected.bubble_s, now.bubble_s);
  add("memory_peak_bytes", baseline.expected.memory_peak_bytes, now.memory_peak_bytes);
  if (checks.empty()) {
    return Fail("case '" + baseline.name() + "' has no figures yet; run regress with --update");
  }
  return checks;
}

}  // namespace pipescope
