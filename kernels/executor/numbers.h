// What the letters of a job's processes are numbered by, where they are no payloads (post.h).
#pragma once

#include <cstdint>

namespace pipescope::executor {

enum ControlNumber : int32_t {  // of lists of char
  kBeatNumber,
  kStopNumber,
  kGatherNumber,
  kShareNumber,
  kThroughNumber,
  kPingNumber,
  kPongNumber,
  kAskNumber,   // for a message that is timed
  kRowsNumber,  // between ranks that share experts
  // Between devices, of each of a rank's lanes: what comes on a link, and what an emulated link
  // sends.
  kParcelNumber,
  kRowParcelNumber,
  kLinkNumber,
  kRowLinkNumber,
  kLinkIdNumber,
};

}  // namespace pipescope::executor
