#include "tests/scenarios/scenario.h"

#include <algorithm>
#include <filesystem>

#include "reports/step_text.h"
#include "sim/base/document.h"
#include "sim/simulate.h"

namespace pipescope {

std::vector<std::string> ScenarioNames(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    const auto document = LoadDocument(entry.path().string());
    if (!document || document->root.Find("schedule") == nullptr) continue;
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> RunScenario(const std::string& folder, const std::string& name) {
  const auto experiment = LoadExperiment(folder + "/" + name + ".yaml");
  if (!experiment) return Fail(experiment.error());
  const auto result = Simulate(*experiment, experiment->schedule, Fidelity::kOp,
                               EngineKind::kNative, Interval::kYes);
  if (!result) return Fail(result.error());
  return reports::StepText(*result, "pipescope simulate " + name + ".yaml");
}

}  // namespace pipescope
