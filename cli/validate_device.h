// What ranks of `validate` run on, by the name of --device: the CPU's processors, one GPU that is
// divided among them, or a GPU that threads play.
#pragma once

#include <memory>
#include <string>

#include "kernels/transformer/rank.h"

namespace pipescope::cli {

class ValidateDevice {
 public:
  // `ranks`: of all pipelines. Fails where there is no such device or it is too small for them.
  static Result<std::unique_ptr<ValidateDevice>> Open(const std::string& name, int ranks,
                                                      int communication_sms);
  virtual ~ValidateDevice() = default;

  // Null: ranks run on the CPU.
  virtual transformer::RankMaker* maker() = 0;
};

// Its name, for what was measured: "NVIDIA H200"; empty for those that are the CPU.
std::string DeviceName(const std::string& name);

}  // namespace pipescope::cli
