#include "cli/kernels_options.h"

#include <unistd.h>

#include <cstdio>

namespace pipescope::cli {

void AddKernelsOptions(CLI::App& verb, KernelsOptions& o) {
  verb.add_option("--device", o.device, "cpu or cuda")
      ->check(CLI::IsMember({"cpu", "cuda"}))
      ->capture_default_str();
  verb.add_option("--kernel", o.kernel, "Only kernels whose name holds this");
}

kernels::bench::Request RequestOf(const KernelsOptions& o) {
  using kernels::bench::Device;
  return {o.device == "cuda" ? Device::kCuda : Device::kCpu, o.kernel, o.seed, o.sms,
          o.interference};
}

kernels::bench::Progress ProgressOnStderr() {
  if (isatty(STDERR_FILENO) == 0) return [](const std::string&) {};
  return [](const std::string& what) { std::fprintf(stderr, "%s\n", what.c_str()); };
}

}  // namespace pipescope::cli
