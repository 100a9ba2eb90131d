// What fills a GPU's memory: parameters, gradients, optimizer, activations, buffers.
//
//   parameters  2 bytes (BF16) each that the rank's stages hold
//   gradients   4 bytes (FP32) or 2 each
//   optimizer   FP32 master and two moments (BF16 under V3's recipe), sharded by ZeRO-1 over the
//               GPUs that hold the same parameters
//   activations the curve of sim/timeline/memory.h
//   buffers     what the experiment reserves: CUDA context, libraries, dispatch buffers; in BF16
//               the placeholders of weight gradients (sim/model/saved_tensors.h)
#pragma once

#include <vector>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/lowering/ownership.h"
#include "sim/result/result_types.h"
#include "sim/timeline/memory.h"

namespace pipescope {

std::vector<timeline::StageActivations> StageActivationsOf(const Experiment& experiment,
                                                           const model::Layout& layout);

// BF16 tensors of the shapes of a rank's weights, one for each shape.
Bytes Placeholders(const Experiment& experiment, const model::Layout& layout,
                   const std::vector<int>& stages);

std::vector<RankMemory> MemoryByRank(const Experiment& experiment, const model::Layout& layout,
                                     const Ownership& ownership,
                                     const std::vector<timeline::MemoryCurve>& activations);

// Fails where a rank's peak is over the GPU's memory; the error lists what it is made of.
Status CheckMemory(const Experiment& experiment, const std::string& schedule,
                   const std::vector<RankMemory>& memory);

}  // namespace pipescope
