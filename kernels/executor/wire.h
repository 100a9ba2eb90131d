// Bytes between the processes of a job: all that the executor needs of MPI, without its types.
//
// The one implementation (mpi/mpi_wire.cc) is a shared library of its own that is opened when asked
// for, so that the program starts without MPI, runs where there is none, and one file is built anew
// for another MPI. Nothing here waits; calls come from one thread at a time (post.h has the lock).
#pragma once

#include <cstddef>
#include <memory>
#include <set>

namespace pipescope::executor {

class Wire {
 public:
  struct Arrival {
    int from = 0;
    int tag = 0;
    size_t bytes = 0;
  };
  // Who takes what comes: first says where to lay it, then learns that it is there.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void* Room(const Arrival& arrival) = 0;
    virtual void Arrived(const Arrival& arrival, void* room) = 0;
  };

  virtual ~Wire() = default;
  virtual int rank() const = 0;
  virtual int ranks() const = 0;
  virtual int largest_tag() const = 0;
  // Begins to send; `data` lives until it has left. Messages of one tag to one rank arrive in
  // order. Null, or what went wrong.
  virtual const char* Send(int to, int tag, std::shared_ptr<const void> data, size_t bytes) = 0;
  // Moves on what is under way. Null, or what went wrong.
  virtual const char* Poll(Sink& sink) = 0;
  // To whom something still has to leave.
  virtual std::set<int> sending_to() const = 0;
};

// The library's one function: a wire among all processes of the job, or null and why. Once.
inline constexpr const char* kOpenWire = "PipescopeOpenWire";
using OpenWireFunction = Wire* (*)(const char** error);

}  // namespace pipescope::executor
