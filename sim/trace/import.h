// What a trace measured, as a profile that costs can be read from.
//
//   phases      of a MoE layer, where the caller says which layer the trace is of. Annotations
//               name them as DeepSeek's published trace does: "attn(F)", "mlp(B)", "mlp(W)",
//               "dispatch(F)", "combine(B)", ...; each occurrence is one time. A phase lasts while
//               its operations run, and the gaps of up to 10 us that launching leaves between two
//               of them; longer ones are waits for others. Of a dispatch or combine, the kernel
//               that moves rows is told from all before it, which waits for the slowest rank
//   GEMMs       by shape, where the trace recorded its operators' input sizes
//               (gemm_calls.h); on all SMs of the device
//   operations  by class and blocks of the grid, kind `other`: the others' shapes are not
//               recorded
//
// SMs: of a message the blocks of its grid, an SM each; of a computing phase the most blocks of a
// GEMM that fits the device at once, since persistent GEMMs are launched on what messages leave
// (112 and 20 of 132 in DeepSeek's trace); else those of the device.
#pragma once

#include <optional>
#include <string>

#include "sim/measured/profile.h"
#include "sim/trace/timeline_of.h"
#include "sim/trace/trace.h"

namespace pipescope::trace {

// The layer's shape has the names that sim/measured/profile.h demands of a layer's phases.
measured::Profile ImportProfile(const Trace& trace, const TracedTimeline& timeline,
                                const std::optional<measured::Layer>& layer);

}  // namespace pipescope::trace
