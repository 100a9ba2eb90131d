// A schedule family: a rule that gives the order for any number of ranks and micro-batches.
//
// To add one: a file in schedules/families/ that defines `Family NameFamily()`, and a line in
// schedules/registry.cc. Options are checked in two steps: Generate (registry.h) checks what is
// common (limits, which options the family takes at all), the family's own rule what is its own
// (parity, least micro-batches).
//
// In the formulas p is the number of ranks, m of micro-batches, v of stages a rank holds, k of
// slices a sequence is cut into, r a rank; F, I, W, B = I + W and FB are the costs of one chunk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "schedules/costs.h"
#include "schedules/profile.h"
#include "schedules/schedule.h"
#include "sim/base/result.h"

namespace pipescope::schedules {

// What a user may choose; 64 bits wide so that absurd values arrive whole in the error.
struct Options {
  int64_t ranks = 0;
  int64_t microbatches = 0;
  // What is not given is the family's own: see WithDefaults in registry.h.
  std::optional<int64_t> chunks = {};  // stages a rank holds
  std::optional<int64_t> slices = {};  // parts a sequence is cut into
  std::string variant = {};            // one of the family's orders, where it has several
  // What an automatic family is made for: unit costs and its own limit where not given.
  std::optional<Profile> profile = {};
};

// Which bubble a closed form speaks of: makespan - busy of the rank that waits longest, or the same
// with the rank's own first start to last end in place of the makespan (the zero-bubble papers').
enum class BubbleKind : uint8_t { kMakespan, kSpan };

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
  int chunks = 1;                    // stages a rank holds, unless --chunks says otherwise
  int least_chunks = 0;              // of --chunks; 0: the number is fixed
  int slices = 0;                    // a sequence is cut into, unless --slices says otherwise; 0:
                                     // sequences stay whole
  std::vector<std::string> variants = {};  // that --variant may name, the default first
  BubbleKind bubble_kind = BubbleKind::kMakespan;
  bool automatic = false;  // made for costs and memory: Options::profile
  Result<Schedule> (*generate)(const Options& options) = nullptr;
  // The closed form's value where it is exact for these options and costs, else nothing. Both are
  // called with options that passed CheckOptions, defaults filled in. Null where no
  // closed form is known.
  std::optional<double> (*exact_bubble)(const Options& options, const Costs& costs) = nullptr;
};

// "--microbatches 6: " and what was expected.
tl::unexpected<Error> BadOption(const std::string& name, int64_t value,
                                const std::string& expected);

// Stages cost the same and hops nothing: what most closed forms ask.
inline bool UniformAndFree(const Costs& costs) { return costs.Uniform() && costs.comm == 0; }

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
