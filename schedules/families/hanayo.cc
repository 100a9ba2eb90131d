// Hanayo: W waves. A rank holds 2W stages, and the pipeline goes down the ranks and comes back up W
// times, turning on the first and the last rank without a message.
//
// Stage s is in leg b = s div p; on rank s mod p where b is even, else on p-1-(s mod p). A round is
// of p micro-batches; more are rounds one after the other. Within a round a rank that is free takes
// the backward that is ready of the lowest micro-batch, else the forward that is ready of the stage
// deepest in the model; what is ready is worked out for F = 1, B = 2 and no latency.
//
// The published bubble ratio for B = 2F and m = p, (2p-2)/(3pW+p-1), is near what this order gives,
// not equal: 4 ranks with W = 1 wait a third (published 0.40), with W = 2 a share of 0.2131
// (0.2222) and with W = 4 of 0.1193 (0.1176).
//
// Example, 1 rank, W = 1, 1 micro-batch: 0F0 1F0 1B0 0B0.
// Source: Liu et al., "Hanayo", SC23, arXiv 2308.15762 (placement and formula). The paper's own
// order was not at hand; the greedy rule above is ours.
#include <fmt/format.h>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

constexpr int kForwardTime = 1, kBackwardTime = 2, kNever = 1 << 30;

// One round of p micro-batches, played in time.
class Round {
 public:
  Round(int ranks, int chunks)
      : ranks_(ranks),
        chunks_(chunks),
        forward_end_(Size(ranks * chunks), std::vector<int>(Size(ranks), kNever)),
        backward_end_(forward_end_),
        forwards_(Size(ranks * chunks)),
        backwards_(forwards_),
        free_at_(Size(ranks)),
        orders_(Size(ranks)) {}

  std::vector<std::vector<Action>> Play() {
    const int total = 2 * ranks_ * chunks_ * ranks_;
    for (int now = 0; done_ < total; ++now) {
      for (int rank = 0; rank < ranks_; ++rank) {
        if (free_at_[Size(rank)] <= now) Take(rank, now);
      }
    }
    return std::move(orders_);
  }

 private:
  static size_t Size(int n) { return static_cast<size_t>(n); }

  int StageOf(int rank, int chunk) const {
    return chunk * ranks_ + (chunk % 2 == 0 ? rank : ranks_ - 1 - rank);
  }
  bool ForwardReady(int stage, int now) const {
    const int m = forwards_[Size(stage)];
    return m < ranks_ && (stage == 0 || forward_end_[Size(stage - 1)][Size(m)] <= now);
  }
  bool BackwardReady(int stage, int now) const {
    const int m = backwards_[Size(stage)];
    if (m >= ranks_ || forward_end_[Size(stage)][Size(m)] > now) return false;
    return stage + 1 == ranks_ * chunks_ || backward_end_[Size(stage + 1)][Size(m)] <= now;
  }

  void Take(int rank, int now) {
    int backward = -1, forward = -1;  // stages; of those equal, the deepest
    for (int chunk = chunks_ - 1; chunk >= 0; --chunk) {
      const int stage = StageOf(rank, chunk);
      if (BackwardReady(stage, now) &&
          (backward < 0 || backwards_[Size(stage)] < backwards_[Size(backward)])) {
        backward = stage;
      }
      if (forward < 0 && ForwardReady(stage, now)) forward = stage;
    }
    if (backward >= 0) {
      const int m = backwards_[Size(backward)]++;
      backward_end_[Size(backward)][Size(m)] = free_at_[Size(rank)] = now + kBackwardTime;
      orders_[Size(rank)].push_back(Make(ActionKind::kBackward, backward, m));
    } else if (forward >= 0) {
      const int m = forwards_[Size(forward)]++;
      forward_end_[Size(forward)][Size(m)] = free_at_[Size(rank)] = now + kForwardTime;
      orders_[Size(rank)].push_back(Make(ActionKind::kForward, forward, m));
    }
    done_ += backward >= 0 || forward >= 0 ? 1 : 0;
  }

  int ranks_, chunks_;
  std::vector<std::vector<int>> forward_end_, backward_end_;  // [stage][micro-batch]
  std::vector<int> forwards_, backwards_;                     // [stage], begun
  std::vector<int> free_at_;                                  // [rank]
  std::vector<std::vector<Action>> orders_;
  int done_ = 0;
};

Result<Schedule> GenerateHanayo(const Options& options) {
  if (*options.chunks % 2 != 0) {
    return BadOption("--chunks", *options.chunks, "hanayo needs an even number, two for each wave");
  }
  if (options.microbatches % options.ranks != 0) {
    return BadOption("--microbatches", options.microbatches,
                     fmt::format("hanayo runs rounds of as many micro-batches as ranks; expected "
                                 "a multiple of {}",
                                 options.ranks));
  }
  const int ranks = static_cast<int>(options.ranks), chunks = static_cast<int>(*options.chunks);
  Schedule schedule = EmptySchedule("hanayo", options, ranks * chunks);
  const auto round = Round(ranks, chunks).Play();
  for (size_t r = 0; r < round.size(); ++r) {
    for (int first = 0; first < schedule.microbatches; first += ranks) {
      for (const Action& action : round[r]) {
        schedule.actions[r].push_back(
            Make(action.kind, action.stage.value(), first + action.microbatch.value()));
      }
    }
  }
  return schedule;
}

}  // namespace

Family HanayoFamily() {
  return {
      .name = "hanayo",
      .aliases = {},
      .summary = "waves: 2W stages a rank, down and up the ranks W times",
      .reference = "Hanayo, arXiv 2308.15762; the order within a round is a greedy rule of ours",
      .constraints = "microbatches a multiple of ranks; chunks even (2W)",
      .options = "--ranks, --microbatches, --chunks",
      .bubble = "no closed form; near (2p-2)/(3pW+p-1) of the makespan for B = 2F and m = p",
      .bubble_exact_when = "never: the published ratio is near, not equal",
      .peak_activations = "at most vp",
      .parameter_copies = 1,
      .chunks = 4,
      .least_chunks = 2,
      .generate = GenerateHanayo,
      .exact_bubble = nullptr,
  };
}

}  // namespace pipescope::schedules
