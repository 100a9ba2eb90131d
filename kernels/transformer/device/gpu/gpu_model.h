// Which models the GPU's kernels can run: widths that are read 16 bytes at a time, heads that there
// is an attention kernel for (train/cuda/attention_cuda.h), a router within its tables.
//
// Example: "large" has heads of 192 and 128 channels, as DeepSeek-V3; "small" is refused for its
// heads of 48.
#pragma once

#include "kernels/transformer/config.h"

namespace pipescope::transformer::device {

Status CheckGpuModel(const ModelConfig& model);

}  // namespace pipescope::transformer::device
