// What the looping schedules share: v stages a rank, stage s on rank s mod p, and the order in
// which a rank takes its forwards and its backwards.
//
// Micro-batches go in groups of G. The forwards of a rank are, group by group, those of chunk 0 for
// the whole group, then of chunk 1, and so on; the backwards are the same with the chunks reversed:
//
//   number n of a rank: group n div (vG), chunk (n mod vG) div G, micro-batch (n mod G) of the
//   group stage = chunk x p + r
//
// Example, p = 2, v = 2, G = 2, rank 0: forwards 0F0 0F1 2F0 2F1 0F2 ..., backwards 2B0 2B1 0B0 ...
// Source: Narayanan et al., Megatron-LM, arXiv 2104.04473; groups of other sizes than p as in
// Megatron-Core and in torch.distributed.pipelining.
#pragma once

#include <cstdint>

#include "schedules/family.h"

namespace pipescope::schedules {

struct Looping {
  int ranks = 0;
  int chunks = 0;
  int group = 0;  // divides the micro-batches
  int microbatches = 0;

  int Total() const { return chunks * microbatches; }  // forwards of a rank
  int Microbatch(int number) const { return number / (chunks * group) * group + number % group; }
  int ForwardStage(int rank, int number) const { return Chunk(number) * ranks + rank; }
  int BackwardStage(int rank, int number) const {
    return (chunks - 1 - Chunk(number)) * ranks + rank;
  }
  Action Forward(int rank, int number) const {
    return Make(ActionKind::kForward, ForwardStage(rank, number), Microbatch(number));
  }
  // `kind` is kBackward, kInputGrad or kWeightGrad.
  Action Backward(ActionKind kind, int rank, int number) const {
    return Make(kind, BackwardStage(rank, number), Microbatch(number));
  }

 private:
  int Chunk(int number) const { return number % (chunks * group) / group; }
};

// Groups of p, as Megatron has them by default; fails where m is not a multiple of p. `name` is of
// the schedule, for the error.
Result<Looping> LoopingByRanks(const std::string& name, const Options& options);

// PyTorch's groups: max(1, m div p) groups of equal size; fails where m is not a multiple of their
// number.
Result<Looping> LoopingByRounds(const std::string& name, const Options& options);

// p-1, for closed forms.
inline double OtherRanks(const Options& options) { return static_cast<double>(options.ranks - 1); }

}  // namespace pipescope::schedules
