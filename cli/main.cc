// pipescope: one binary, one verb a task. See cli/verb.h for how a verb is added.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <sstream>
#include <string>
#include <system_error>

#include "cli/calibrate_verb.h"
#include "cli/comm_verb.h"
#include "cli/examples.h"
#include "cli/kernels_verb.h"
#include "cli/manual_verbs.h"
#include "cli/model_verb.h"
#include "cli/plan_verb.h"
#include "cli/regress_verb.h"
#include "cli/report_verb.h"
#include "cli/schedule_verb.h"
#include "cli/step_verbs.h"
#include "cli/suffixes.h"
#include "cli/sweep_verb.h"
#include "cli/topology_verb.h"
#include "cli/trace_verb.h"
#include "cli/validate_verb.h"
#include "cli/verb.h"
#include "cli/version.h"

namespace pipescope::cli {
namespace {

// What the shell leaves us with that a tool of ours must not trip over.
Status PrepareProcess() {
  // A reader that stops early, such as `| head`, makes the write fail instead of killing us.
  std::signal(SIGPIPE, SIG_IGN);
  // Likewise a file that may not grow as large (`ulimit -f`).
  std::signal(SIGXFSZ, SIG_IGN);
  // `bazel run` starts us elsewhere: relative paths count from where the user stands.
  if (const char* stand = std::getenv("BUILD_WORKING_DIRECTORY"); stand != nullptr) {
    if (chdir(stand) != 0) return Fail(std::string("cannot enter ") + stand);
  }
  return {};
}

void AddVerbs(CLI::App& app, const std::string& command_line, int& exit_code) {
  AddSimulateVerb(app, command_line, exit_code);
  AddCompareVerb(app, command_line, exit_code);
  AddSweepVerb(app, command_line, exit_code);
  AddPlanVerb(app, command_line, exit_code);
  AddRegressVerb(app, exit_code);
  AddReportVerb(app, exit_code);
  AddModelVerb(app, exit_code);
  AddScheduleVerb(app, exit_code);
  AddTopologyVerb(app, exit_code);
  AddCommVerb(app, exit_code);
  AddKernelsVerb(app, exit_code);
  AddCalibrateVerb(app, exit_code);
  AddTraceVerb(app, command_line, exit_code);
  AddValidateVerb(app, command_line, exit_code);
  AddManualVerbs(app, exit_code);
}

// Without an end of libraries: those whose memory was refused may never come to theirs.
[[noreturn]] void EndForMemory() {
  Complain({"not enough memory for what was asked for"});
  std::_Exit(kBadInput);
}

std::terminate_handler unexpected = nullptr;

// Memory may run out, and threads be refused, on any thread: that is an error, and no abort.
[[noreturn]] void EndOfThread() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    EndForMemory();
  } catch (const std::system_error& e) {
    Complain({std::string("the system has no more threads or memory: ") + e.what()});
    std::_Exit(kBadInput);
  } catch (...) {
  }
  unexpected();
  std::abort();
}

int Main(int argc, char** argv) {
  unexpected = std::set_terminate(EndOfThread);
  if (auto ready = PrepareProcess(); !ready) return Complain(ready.error());
  CLI::App app("Predicts one training step of a pipeline-parallel (MoE) model on a cluster.",
               "pipescope");
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion);
  LeadWithExamples(app,
                   "pipescope simulate experiments/deepseek_v3_h800.yaml\n"
                   "pipescope compare experiments/deepseek_v3_h800.yaml "
                   "--schedules 1f1b,zb1p,dualpipe --html report.html\n"
                   "pipescope schedule show dualpipe --ranks 8 --microbatches 20");
  int exit_code = kOk;
  AddVerbs(app, CommandLine(argc, argv), exit_code);
  AllowSuffixes(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() != 0) return ComplainOfUsage(app, e);
    std::ostringstream asked_for;  // help or the version
    app.exit(e, asked_for, asked_for);
    return Emit("", asked_for.str());
  } catch (const std::bad_alloc&) {
    EndForMemory();
  }
  return exit_code;
}

}  // namespace
}  // namespace pipescope::cli

int main(int argc, char** argv) { return pipescope::cli::Main(argc, argv); }
