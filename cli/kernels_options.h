// What kernels' verbs and calibrate share.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "kernels/bench/program.h"

namespace pipescope::cli {

struct KernelsOptions {
  std::string device = "cpu";
  std::string kernel;
  std::string format = "text";
  std::string json;
  std::string output;
  uint64_t seed = 1;
  int sms = 0;
  bool interference = false;
};

// --device and --kernel.
void AddKernelsOptions(CLI::App& verb, KernelsOptions& options);
kernels::bench::Request RequestOf(const KernelsOptions& options);
// Names what starts, where stderr is a terminal.
kernels::bench::Progress ProgressOnStderr();

}  // namespace pipescope::cli
