// A schedule family: a rule that gives the order for any number of ranks and micro-batches.
//
// To add one: a file in schedules/families/ that defines `Family NameFamily()`, and a line in
// schedules/registry.cc. Options are checked in two steps: Generate (registry.h) checks what is
// common (limits, chunks), the family's own rule what is its own (parity, least micro-batches).
//
// In the formulas p is the number of ranks, m of micro-batches, F, I, W, B = I + W and FB the costs
// of one chunk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schedules/costs.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

// What a user may choose; 64 bits wide so that absurd values arrive whole in the error.
struct Options {
  int64_t ranks = 0;
  int64_t microbatches = 0;
  std::optional<int64_t> chunks = {};  // stages a rank holds; the family's own number if not given
};

struct Family {
  std::string name;                  // the contract's, such as "zb-h1"
  std::vector<std::string> aliases;  // such as "zb1p"
  std::string summary;               // one line
  std::string reference;             // where it was published
  std::string constraints;           // on the options, in words
  std::string options;               // what it takes, such as "--ranks, --microbatches"
  std::string bubble;                // closed form, per rank
  std::string bubble_exact_when;     // for which costs it is exact
  std::string peak_activations;      // per rank, in chunks
  int parameter_copies = 1;          // of each stage, over all ranks
  int chunks = 1;                    // stages a rank holds
  Result<Schedule> (*generate)(const Options& options) = nullptr;
  // The closed form's value where it is exact for these options and costs, else nothing.
  std::optional<double> (*exact_bubble)(const Options& options, const Costs& costs) = nullptr;
};

// "--microbatches 6: " and what was expected.
tl::unexpected<Error> BadOption(const std::string& name, int64_t value,
                                const std::string& expected);

// A schedule with `ranks` empty lists.
Schedule EmptySchedule(const std::string& name, const Options& options, int stages);

inline Action Make(ActionKind kind, int stage, int microbatch) {
  return {kind, StageId(stage), MicrobatchId(microbatch)};
}
inline Action MakePair(int stage, int microbatch, int backward_stage, int backward_microbatch) {
  return {ActionKind::kOverlapped, StageId(stage), MicrobatchId(microbatch),
          StageId(backward_stage), MicrobatchId(backward_microbatch)};
}

}  // namespace pipescope::schedules
