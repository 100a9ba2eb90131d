#include "tests/schedules/testing.h"

#include "schedules/csv.h"
#include "schedules/token.h"
#include "sim/base/file.h"

namespace pipescope::schedules {
namespace {

template <class T>
T OrDie(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().ToString();
    std::abort();
  }
  return std::move(*result);
}

}  // namespace

std::string DataPath(const std::string& name) { return "tests/schedules/data/" + name; }

std::string ReadData(const std::string& name) { return OrDie(ReadFile(DataPath(name))); }

nlohmann::json ReadJson(const std::string& name) { return nlohmann::json::parse(ReadData(name)); }

Schedule MakeSchedule(const std::string& name, int64_t ranks, int64_t microbatches) {
  return OrDie(Generate(name, {ranks, microbatches, {}}));
}

Schedule MakeSchedule(const std::string& name, const Options& options) {
  return OrDie(Generate(name, options));
}

Schedule MakeSchedule(const nlohmann::json& vector) {
  Options options{vector["ranks"], vector["microbatches"]};
  if (vector.contains("chunks")) options.chunks = vector["chunks"].get<int64_t>();
  if (vector.contains("slices")) options.slices = vector["slices"].get<int64_t>();
  options.variant = vector.value("variant", "");
  return MakeSchedule(vector["schedule"].get<std::string>(), options);
}

std::vector<Options> Choices(const Family& family, int64_t ranks, int64_t microbatches) {
  std::vector<Options> choices = {{ranks, microbatches}};
  for (int64_t chunks = family.least_chunks; chunks > 0 && chunks <= 4; ++chunks) {
    choices.push_back({ranks, microbatches, chunks});
  }
  for (int64_t slices = 1; family.slices > 0 && slices <= 4; ++slices) {
    choices.push_back({ranks, microbatches, {}, slices});
  }
  const std::vector<Options> so_far = choices;
  for (const std::string& variant : family.variants) {
    for (Options choice : so_far) {
      choice.variant = variant;
      choices.push_back(choice);
    }
  }
  return choices;
}

Schedule FromCsv(const std::string& text) { return OrDie(ParseCsv(text, "test.csv")).schedule; }

Timing Time(const Schedule& schedule, const Costs& costs) {
  return Evaluate(OrDie(Prepare(schedule)), costs);
}

Costs UniformCosts(double f, double i, double w, double comm) {
  Costs costs;
  costs.forward = {f};
  costs.input_grad = {i};
  costs.weight_grad = {w};
  costs.comm = comm;
  return costs;
}

std::string Order(const Schedule& schedule, size_t rank) {
  std::string text;
  for (const Action& action : schedule.actions[rank]) {
    if (!text.empty()) text += ',';
    AppendToken(action, text);
  }
  return text;
}

}  // namespace pipescope::schedules
