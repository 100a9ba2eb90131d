// pipescope: one binary, one verb a task. See cli/verb.h for how a verb is added.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/schedule_verb.h"
#include "cli/topology_verb.h"
#include "cli/verb.h"

namespace pipescope::cli {
namespace {

int Main(int argc, char** argv) {
  // `bazel run` starts us elsewhere: relative paths count from where the user stands.
  if (const char* stand = std::getenv("BUILD_WORKING_DIRECTORY"); stand != nullptr) {
    if (chdir(stand) != 0) return Complain({std::string("cannot enter ") + stand});
  }
  CLI::App app("Predicts one training step of a pipeline-parallel (MoE) model on a cluster.",
               "pipescope");
  app.require_subcommand(1);
  int exit_code = kOk;
  AddScheduleVerb(app, exit_code);
  AddTopologyVerb(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kOk : kBadInput;
  }
  return exit_code;
}

}  // namespace
}  // namespace pipescope::cli

int main(int argc, char** argv) { return pipescope::cli::Main(argc, argv); }
