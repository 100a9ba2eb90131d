// The wire over MPI: the one file that includes its header.
//
// One thread at a time calls MPI (MPI_THREAD_SERIALIZED), which every MPI can do without locks of
// its own. Large messages need both ends to call MPI now and then: who waits polls, and while
// it has something to send each process does so every millisecond (watch.cc), or after each step
// (post_transport.h).
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi/mpi.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <vector>

#include "kernels/executor/wire.h"

namespace pipescope::executor {
namespace {

class MpiWire : public Wire {
 public:
  MpiWire() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks_);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    int* bound = nullptr;
    int there = 0;
    MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &bound, &there);
    if (there != 0) largest_tag_ = *bound;
  }
  ~MpiWire() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int ranks() const override { return ranks_; }
  int largest_tag() const override { return largest_tag_; }
  std::set<int> sending_to() const override {
    std::set<int> ranks;
    for (const Leaving& leaving : sent_) ranks.insert(leaving.to);
    return ranks;
  }

  const char* Send(int to, int tag, std::shared_ptr<const void> data, size_t bytes) override {
    if (bytes > INT_MAX) return "a message is larger than 2 GiB";
    MPI_Request request = MPI_REQUEST_NULL;
    const int code =
        MPI_Isend(data.get(), static_cast<int>(bytes), MPI_BYTE, to, tag, MPI_COMM_WORLD, &request);
    if (code != MPI_SUCCESS) return Text(code);
    sent_.push_back({request, to, std::move(data)});
    return nullptr;
  }

  const char* Poll(Sink& sink) override {
    // A probe that finds nothing fetches what has come, for the next one to find.
    for (int in_vain = 0; in_vain < 2;) {
      int there = 0;
      MPI_Message message = MPI_MESSAGE_NULL;
      MPI_Status status;
      int code =
          MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &message, &status);
      if (code != MPI_SUCCESS) return Text(code);
      if (there == 0) {
        ++in_vain;
        continue;
      }
      in_vain = 0;
      code = Begin(sink, message, status);
      if (code != MPI_SUCCESS) return Text(code);
    }
    return Finish(sink);
  }

 private:
  struct Coming {
    MPI_Request request;
    Arrival arrival;
    void* room;
  };
  struct Leaving {
    MPI_Request request;
    int to;
    std::shared_ptr<const void> data;
  };

  int Begin(Sink& sink, MPI_Message message, MPI_Status status) {
    int bytes = 0;
    MPI_Get_count(&status, MPI_BYTE, &bytes);
    const Arrival arrival{status.MPI_SOURCE, status.MPI_TAG, static_cast<size_t>(bytes)};
    coming_.push_back({MPI_REQUEST_NULL, arrival, sink.Room(arrival)});
    return MPI_Imrecv(coming_.back().room, bytes, MPI_BYTE, &message, &coming_.back().request);
  }

  const char* Finish(Sink& sink) {
    for (size_t i = 0; i < coming_.size();) {
      if (FollowsAnother(i)) {
        ++i;
        continue;
      }
      int done = 0;
      const int code = MPI_Test(&coming_[i].request, &done, MPI_STATUS_IGNORE);
      if (code != MPI_SUCCESS) return Text(code);
      if (done == 0) {
        ++i;
        continue;
      }
      sink.Arrived(coming_[i].arrival, coming_[i].room);
      coming_.erase(coming_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return Release();
  }

  // What has left.
  const char* Release() {
    for (size_t i = 0; i < sent_.size();) {
      int done = 0;
      const int code = MPI_Test(&sent_[i].request, &done, MPI_STATUS_IGNORE);
      if (code != MPI_SUCCESS) return Text(code);
      if (done == 0) {
        ++i;
        continue;
      }
      sent_[i] = std::move(sent_.back());
      sent_.pop_back();
    }
    return nullptr;
  }

  // A sender's messages of one tag must not pass each other.
  bool FollowsAnother(size_t i) const {
    const Arrival& later = coming_[i].arrival;
    return std::any_of(coming_.begin(), coming_.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const Coming& earlier) {
                         return earlier.arrival.from == later.from &&
                                earlier.arrival.tag == later.tag;
                       });
  }

  const char* Text(int code) {
    int length = 0;
    MPI_Error_string(code, text_, &length);
    return text_;
  }

  int rank_ = 0, ranks_ = 1, largest_tag_ = 32767;
  std::vector<Coming> coming_;
  std::vector<Leaving> sent_;
  char text_[MPI_MAX_ERROR_STRING] = {};
};

}  // namespace

extern "C" Wire* PipescopeOpenWire(const char** error) {
  // OpenMPI would give the processor away in each look for letters where ranks are more than
  // processors. Nobody waits within MPI: who waits does so in post.cc.
  setenv("OMPI_MCA_mpi_yield_when_idle", "0", 1);
  int provided = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
    *error = "cannot start";
    return nullptr;
  }
  if (provided < MPI_THREAD_SERIALIZED) {
    *error = "was built without threads: expected MPI_THREAD_SERIALIZED";
    return nullptr;
  }
  return new MpiWire();
}

}  // namespace pipescope::executor
