// Why the operations of a trace ran when they did: what each one waited for, found out from the
// order of launches and from times, since traces do not record it.
//
//   stream   an operation waits for the one before it on its stream
//   launch   and for its launch; the host launches one after the other, whatever the thread
//   wait     a call of cudaStreamWaitEvent makes some stream wait for another, but the trace does
//            not say which: of all pairs of a stream's next launch and an operation of another
//            stream that was launched before and had ended when it started, the tightest is taken
//   timing   an operation that starts more than 20 us after all of these waits for the operation of
//            another stream that ended last before, where that was at most 10 us before
//   SMs      kernels of one block an SM at most that need more SMs together than there are take
//   turns:
//            the second is recorded as running while it waits, and its work begins when the other
//            ends
//   pause    the host waits for the device (it asks for counts, say) where it launches nothing for
//            over 100 us while the last launch of some stream still runs for at least half of it
//
// After what it waited for, an operation starts with a delay. The delays of a kind of dependency
// are taken as one: the mean of the middle half of those of the trace's operations that it decided.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"
#include "sim/trace/trace.h"

namespace pipescope::replay {

enum class Cause : uint8_t { kStream, kLaunch, kWait, kTiming };
inline constexpr int kCauses = 4;

struct Dependency {
  int32_t before = 0;  // indices into Trace::operations
  int32_t after = 0;
  Cause cause = Cause::kStream;  // not kLaunch
};

// The host's way from the launch before to that of `operation`.
struct HostStep {
  int32_t operation = 0;
  Duration work;            // of the host itself
  int32_t waits_for = -1;   // the operation that it paused for, or -1
  bool launches_it = true;  // false where clocks disagree: it started before its launch
};

// The work of `after` begins when that of `before` has ended, whenever it starts.
struct Turn {
  int32_t before = 0;
  int32_t after = 0;
  Duration work;  // of `after`, from then on
  Duration lead;  // by which it starts before the other ends
};

inline constexpr size_t kMostStreams = 64;

struct Dependencies {
  std::vector<Dependency> all;  // `before` < `after`
  std::vector<Turn> turns;      // by `after`, each at most once
  std::vector<HostStep> host;   // in order
  std::array<Duration, kCauses> delay;
  std::array<int64_t, kCauses> decided = {};  // operations that started last by it
  int64_t pauses = 0;
  Duration unexplained;  // sum of what operations without a turn started later than by their delay
  int64_t wait_calls = 0;
};

// Fails where a trace has more than kMostStreams streams.
Result<Dependencies> FindDependencies(const trace::Trace& trace);

}  // namespace pipescope::replay
