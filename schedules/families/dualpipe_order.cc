#include "schedules/families/dualpipe_order.h"

#include <array>
#include <utility>

#include "schedules/family.h"

namespace pipescope::schedules {
namespace {

enum Stream { kNear = 0, kFar = 1 };

// Appends actions, taking the micro-batches of each stream in turn.
class Writer {
 public:
  Writer(const DualPipeRank& rank, std::vector<Action>& order)
      : streams_{rank.near, rank.far}, order_(order) {}

  void Forward(Stream s) {
    order_.push_back(Make(ActionKind::kForward, StageOf(s), NextForward(s)));
  }
  void Backward(Stream s) {
    order_.push_back(Make(ActionKind::kBackward, StageOf(s), NextBackward(s)));
  }
  void InputGrad(Stream s) {
    order_.push_back(Make(ActionKind::kInputGrad, StageOf(s), NextBackward(s)));
    queue_.push_back(order_.back());
  }
  void WeightGrad() {
    const Action& input = queue_[queue_head_++];
    order_.push_back({ActionKind::kWeightGrad, input.stage, input.microbatch});
  }
  void Pair(Stream forward, Stream backward) {
    const int m = NextForward(forward);
    order_.push_back(MakePair(StageOf(forward), m, StageOf(backward), NextBackward(backward)));
  }

 private:
  int StageOf(Stream s) const { return streams_[s].stage; }
  int NextForward(Stream s) { return streams_[s].first_microbatch + forwards_[s]++; }
  int NextBackward(Stream s) { return streams_[s].first_microbatch + backwards_[s]++; }

  std::array<DualPipeStream, 2> streams_;
  std::array<int, 2> forwards_ = {}, backwards_ = {};
  std::vector<Action> queue_;  // input gradients whose weight gradient is to come
  size_t queue_head_ = 0;
  std::vector<Action>& order_;
};

// Steps 1 to 3: fill the pipeline.
void Fill(Writer& write, int g, int h) {
  for (int i = 0; i < 2 * g; ++i) write.Forward(kNear);
  for (int i = 0; i <= h; ++i) {
    write.Forward(kNear);
    write.Forward(kFar);
  }
  for (int i = 0; i < g; ++i) {
    write.InputGrad(kFar);
    write.WeightGrad();
    write.Forward(kFar);
  }
}

// Steps 4 and 5: forwards and backwards overlap.
void Overlap(Writer& write, int g, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    if (i == 0 && g == 0) {
      // On the middle ranks the backward is not there yet; a pair would make the forward wait.
      write.Forward(kNear);
      write.Backward(kFar);
    } else {
      write.Pair(kNear, kFar);
    }
    write.Pair(kFar, kNear);
  }
  for (int i = 0; i < g; ++i) {
    write.Backward(kFar);
    write.Pair(kFar, kNear);
  }
}

// Steps 6 to 8: drain it, weight gradients last.
void Drain(Writer& write, int g, int h) {
  for (int i = 0; i < 2 * (h + 1); ++i) {
    const Stream stream = i % 2 == 0 ? kFar : kNear;
    if (i <= h) {
      write.Backward(stream);
    } else {
      write.InputGrad(stream);
    }
  }
  for (int i = 0; i < g; ++i) {
    write.WeightGrad();
    write.InputGrad(kNear);
  }
  for (int i = 0; i <= h; ++i) write.WeightGrad();
}

}  // namespace

std::vector<Action> DualPipeOrder(const DualPipeRank& rank) {
  std::vector<Action> order;
  order.reserve(4 * static_cast<size_t>(rank.microbatches));
  Writer write(rank, order);
  const int h = rank.half_rank, g = rank.half_ranks - h - 1;
  Fill(write, g, h);
  Overlap(write, g, rank.microbatches - 2 * rank.half_ranks + h + 1);
  Drain(write, g, h);
  return order;
}

std::optional<double> DualPipeBubble(int64_t half_ranks, const Costs& costs) {
  if (!costs.Uniform() || costs.comm != 0) return {};
  const double forward = costs.Forward(0), weight = costs.WeightGrad(0);
  const double backward = costs.Backward(0), pair = costs.Overlapped(0, 0);
  const bool balanced = costs.InputGrad(0) == forward && weight == forward &&
                        backward == 2 * forward && pair >= 2 * forward && pair <= 3 * forward;
  if (!balanced) return {};
  return static_cast<double>(half_ranks - 1) * (pair + backward - 3 * weight);
}

}  // namespace pipescope::schedules
