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

}  // namespace

std::string BaselineCase::name() const {
  const size_t slash = experiment.find_last_of('/');
  std::string text = slash == std::string::npos ? experiment : experiment.substr(slash + 1);
  text = text.substr(0, text.find('.')) + " " + schedule;
  for (const std::string& override : overrides) text += " " + override;
  return text;
}

Result<std::vector<BaselineCase>> LoadBaseline(const std::string& path) {
  auto document = LoadDocument(path);
  if (!document) return Fail(document.error());
  Reader reader(*document);
  Fields root = reader.Root();
  std::vector<BaselineCase> cases;
  for (Fields& f : root.Objects("cases")) {
    BaselineCase c;
    c.experiment = f.String("experiment");
    c.schedule = f.String("schedule");
    if (f.Has("set")) c.overrides = f.Strings("set");
    c.tolerance = f.Number("tolerance", 0, 10, 0);
    c.expected.step_time_s = ReadFigure(f, "step_time_s");
    c.expected.bubble_s = ReadFigure(f, "bubble_s");
    c.expected.memory_peak_bytes = ReadFigure(f, "memory_peak_bytes");
    cases.push_back(std::move(c));
  }
  if (root.Has("cases") && cases.empty()) root.Note("cases", "holds no case");
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return cases;
}

Metrics MetricsOf(const StepResult& r) {
  Bytes peak;
  for (const RankMemory& m : r.memory) peak = std::max(peak, m.total_peak);
  return {r.step_time.seconds(), r.mean_breakdown().bubble.seconds(),
          static_cast<double>(peak.value())};
}

Result<std::vector<MetricCheck>> CheckAgainst(const BaselineCase& baseline, const Metrics& now) {
  std::vector<MetricCheck> checks;
  const auto add = [&](const char* name, std::optional<double> before,
                       std::optional<double> after) {
    if (!before || !after) return;
    const double allowed = *before * (1 + baseline.tolerance + kRounding);
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
