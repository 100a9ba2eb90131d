// What a source of costs says of one operation: its time, how far off that may be, and where it
// comes from.
#pragma once

#include <algorithm>
#include <optional>

#include "sim/base/units.h"
#include "sim/measured/profile.h"
#include "sim/model/operations.h"

namespace pipescope::costs {

enum class Origin {
  kAnalytic,      // a model of the kernel, with figures of other machines
  kInterpolated,  // from measured neighbours
  kMeasured,      // this shape, on this kind of machine
};
inline constexpr int kOrigins = 3;
constexpr const char* NameOf(Origin origin) {
  return origin == Origin::kMeasured       ? "measured"
         : origin == Origin::kInterpolated ? "interpolated"
                                           : "analytic";
}

struct Estimate {
  Duration time;
  double spread = 0;  // relative: the time lies within +- this, two times out of three
  Origin origin = Origin::kAnalytic;
};

// A message of a group of GPUs: gather, scatter or reduce of `whole` bytes, an all-to-all in which
// every GPU has `whole` bytes, or one that two exchange.
enum class CollectiveKind { kAllGather, kReduceScatter, kAllReduce, kAllToAll, kPointToPoint };

struct Collective {
  CollectiveKind kind = CollectiveKind::kAllGather;
  Bytes whole;
  int group = 1;
  int per_node = 1;  // of the group
};

// A phase of a MoE layer, as measurements of whole phases know it.
struct LayerPart {
  measured::Kind kind = measured::Kind::kOther;
  measured::Pass pass = measured::Pass::kNone;
  measured::Layer layer;
};

// What a layer's part took, and on how many SMs.
struct PartEstimate {
  Estimate estimate;
  int sms = 0;
};

// Answers for what it knows. Sources are asked in order; the analytic model, which answers always,
// is the last.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::optional<Estimate> Kernel(const model::Kernel& kernel, int sms) const = 0;
  virtual std::optional<Estimate> Message(const Collective& collective) const = 0;
  // The measurement on the number of SMs nearest to `sms`.
  virtual std::optional<PartEstimate> Part(const LayerPart&, int /*sms*/) const {
    return std::nullopt;
  }
};

}  // namespace pipescope::costs
