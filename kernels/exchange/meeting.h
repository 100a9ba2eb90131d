// Processes that find each other over TCP: rank 0 listens, the others come to it. What NCCL's id
// travels by, and by which all ranks learn what one of them found; for a few bytes, not for data.
//
//   auto meeting = Meeting::Open("node0:29500", rank, ranks, Seconds(60));
//   auto id = (*meeting)->Share(rank == 0 ? id_bytes : "");     rank 0's bytes, to all
//   auto ok = (*meeting)->Agree(status);                        fails everywhere where one did
//
// Where: HOST:PORT of rank 0; or a path on a file system that all see, to which rank 0 writes where
// it listens: a port that is free (its host's name must be known to the others).
//
// Each connection begins with 16 bytes: "pscope1\0", the rank and the number of ranks, little
// endian. A message is its length in 4 bytes, then its bytes. Whoever does not come, or does not
// answer, within the time is named; the others are told and all fail, none waits for ever.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::kernels::exchange {

class Meeting {
 public:
  // `patience` is for this and for every later call.
  static Result<std::unique_ptr<Meeting>> Open(const std::string& where, int rank, int ranks,
                                               Duration patience);
  virtual ~Meeting() = default;

  virtual Result<std::string> Share(const std::string& bytes) = 0;
  // The first rank's failure, with its number, if there is one; else all go on together.
  virtual Status Agree(const Status& own) = 0;
  // Everyone's bytes, at every rank.
  virtual Result<std::vector<std::string>> Collect(const std::string& own) = 0;
};

}  // namespace pipescope::kernels::exchange
