// What ranks of `validate` run on, by the name of --device: the CPU's processors, GPUs that are
// divided among them, or a GPU that threads play. Where ranks are processes each has its own.
#pragma once

#include <memory>
#include <string>

#include "kernels/executor/crew.h"
#include "kernels/transformer/rank.h"

namespace pipescope::cli {

struct ValidateDeviceOptions {
  std::string name = "cpu";
  int gpus = 0;  // at most so many of a machine; 0: all
  int communication_sms = 8;
};

class ValidateDevice {
 public:
  // `ranks`: of all pipelines. Fails, on all processes alike, where there is no such device or it
  // is too small for them.
  static Result<std::unique_ptr<ValidateDevice>> Open(const ValidateDeviceOptions& options,
                                                      int ranks, executor::Crew& crew);
  virtual ~ValidateDevice() = default;

  // Null: ranks run on the CPU.
  virtual transformer::RankMaker* maker() = 0;
};

// Its name, for what was measured: "NVIDIA H200"; empty for those that are the CPU.
std::string DeviceName(const std::string& name);

}  // namespace pipescope::cli
