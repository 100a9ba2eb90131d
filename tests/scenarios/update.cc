// Writes the expected report of every scenario: bazel run -c opt //tests/scenarios:update
#include <cstdio>
#include <cstdlib>

#include "sim/base/file.h"
#include "tests/scenarios/scenario.h"

int main() {
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string folder =
      (workspace == nullptr ? std::string() : std::string(workspace) + "/") + "tests/scenarios";
  for (const std::string& name : pipescope::ScenarioNames(folder)) {
    const auto text = pipescope::RunScenario(folder, name);
    const auto written =
        text ? pipescope::WriteFileAtomically(folder + "/" + name + ".expected", *text)
             : pipescope::Status(pipescope::Fail(text.error()));
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().ToString().c_str());
      return 1;
    }
    std::fprintf(stderr, "wrote %s.expected\n", name.c_str());
  }
  return 0;
}
