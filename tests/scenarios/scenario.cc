#include "tests/scenarios/scenario.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "reports/step_text.h"
#include "sim/base/document.h"
#include "sim/simulate.h"

namespace pipescope {
namespace {

constexpr const char* kCommand = ".command";

// By the shell, which knows what a quote is. Where `bazel run` was typed means nothing here.
Result<std::string> RunCommand(const std::string& folder, const std::string& file) {
  setenv("SCENARIO_FOLDER", folder.c_str(), 1);
  const std::string line =
      "unset BUILD_WORKING_DIRECTORY; PATH=\"$PWD/cli:$PATH\"; cd \"$SCENARIO_FOLDER\" && . ./" +
      file;
  FILE* const pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return Fail(file + ": cannot start a shell");
  std::string text;
  char part[4096];
  for (size_t read; (read = fread(part, 1, sizeof part, pipe)) > 0;) text.append(part, read);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail(file + ": the command failed:\n" + text);
  }
  return text;
}

}  // namespace

std::vector<std::string> ScenarioNames(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == kCommand) names.push_back(entry.path().stem().string());
    if (entry.path().extension() != ".yaml") continue;
    const auto document = LoadDocument(entry.path().string());
    if (!document || document->root.Find("schedule") == nullptr) continue;
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> RunScenario(const std::string& folder, const std::string& name) {
  if (std::filesystem::exists(folder + "/" + name + kCommand)) {
    return RunCommand(folder, name + kCommand);
  }
  const auto experiment = LoadExperiment(folder + "/" + name + ".yaml");
  if (!experiment) return Fail(experiment.error());
  const auto result = Simulate(*experiment, experiment->schedule, Fidelity::kOp,
                               EngineKind::kNative, Interval::kYes);
  if (!result) return Fail(result.error());
  return reports::StepText(*result, "pipescope simulate " + name + ".yaml");
}

}  // namespace pipescope
