// Before the rows: who gets how many. Two steps, Layout by a warp for each (channel, node), then
// Notify by one warp a rank.
//
//   layout   reads the experts of the channel's tokens; a token counts once for each node and once
//            for each GPU it goes to, and once for each expert
//   notify   send   a block of counts to the GPU of the same index on each node, which passes to
//                   each GPU of its node what concerns it
//            plan   prefix sums: who writes where
//            meet   nobody leaves before all have read their counts, so the next layout may
//                   write. DeepEP also meets before, since it clears its rings; ours only count up.
//
// Ranks meet along rails (equal index, all nodes) and then within their node: whoever leaves has
// heard of all GPUs of its node, each of which had heard of its rail.
#pragma once

#include "kernels/exchange/plan.h"
#include "kernels/exchange/ring.h"

namespace pipescope::kernels::exchange {

// Fills the block for `node` in the rank's window, and its column of plan.reach.
template <class Fabric>
PIPESCOPE_BOTH void LayOut(const Rank& rank, Fabric& f, int channel, int node) {
  const Config& g = rank.config;
  const int begin = rank.First(channel);
  const int end = rank.First(channel + 1);
  const int first_expert = node * g.experts_of_node();
  int on_node = 0;
  int on_local[kMostLocals] = {};
  for (int token = begin + f.lane(); token < end; token += Fabric::kLanes) {
    unsigned reach = 0;
    for (int k = 0; k < g.selected; ++k) {
      const int expert = rank.in.experts[int64_t{token} * g.selected + k] - first_expert;
      if (expert < 0 || expert >= g.experts_of_node()) continue;
      reach |= 1U << (expert / g.experts_of_rank());
    }
    rank.plan.reach[int64_t{token} * g.nodes + node] = static_cast<uint8_t>(reach);
    on_node += reach != 0 ? 1 : 0;
    PIPESCOPE_UNROLL
    for (int j = 0; j < kMostLocals; ++j) on_local[j] += static_cast<int>(reach >> j & 1U);
  }
  const int width = 1 + g.locals + g.experts_of_node();
  auto* out = reinterpret_cast<int32_t*>(f.Own(Window(g).FarBlockOut(node))) + channel * width;
  const int all = f.Sum(on_node);
  if (f.lane() == 0) out[0] = all;
  PIPESCOPE_UNROLL
  for (int j = 0; j < kMostLocals; ++j) {
    const int rows = f.Sum(on_local[j]);
    if (f.lane() == 0 && j < g.locals) out[1 + j] = rows;
  }
  for (int e = f.lane(); e < g.experts_of_node(); e += Fabric::kLanes) {
    int chosen = 0;
    for (int64_t i = int64_t{begin} * g.selected; i < int64_t{end} * g.selected; ++i) {
      chosen += rank.in.experts[i] == first_expert + e ? 1 : 0;
    }
    out[1 + g.locals + e] = chosen;
  }
}

// The layout as a role.
template <class Fabric>
class LayOutOnce {
 public:
  PIPESCOPE_BOTH LayOutOnce(const Rank& rank, Fabric&, int channel, int node)
      : rank_(rank), channel_(channel), node_(node) {}
  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    LayOut(rank_, f, channel_, node_);
    return Progress::kDone;
  }

 private:
  const Rank& rank_;
  const int channel_;
  const int node_;
};

template <class Fabric>
class Notify {
 public:
  PIPESCOPE_BOTH Notify(const Rank& rank, Fabric& f)
      : rank_(rank), window_(rank.config), epoch_(f.Cursor(window_.EpochCursor()) + 1) {}

  PIPESCOPE_BOTH Progress Step(Fabric& f) {
    switch (stage_) {
      case 0:
        SendBlocks(f);
        return Next();
      case 1:
        return PassOn(f);
      case 2:
        if (!Heard(f, window_.CountsFlag(0))) return Progress::kWaits;
        PlanStreams(f);
        PlanRows(f);
        CountExperts(f);
        f.Sync();
        for (int n = 0; n < g().nodes; ++n) {
          if (n != rank_.node) f.Add(n, window_.MeetCounter(), 1);
        }
        return Next();
      case 3: {
        const uint64_t others = static_cast<uint64_t>(g().nodes - 1);
        // One node may have no counters at all.
        if (others > 0 && f.Counter(window_.MeetCounter()) < others * epoch_) {
          return Progress::kWaits;
        }
        for (int j = 0; j < g().locals; ++j) f.Signal(j, window_.MeetFlag(rank_.local), epoch_);
        return Next();
      }
      case 4:
        if (!Heard(f, window_.MeetFlag(0))) return Progress::kWaits;
        f.SetCursor(window_.EpochCursor(), epoch_);
        return Next();
      default:
        return Progress::kDone;
    }
  }

 private:
  PIPESCOPE_BOTH const Config& g() const { return rank_.config; }
  PIPESCOPE_BOTH Progress Next() {
    ++stage_;
    return Progress::kMoved;
  }
  // Whether all GPUs of the node have set their flag.
  PIPESCOPE_BOTH bool Heard(Fabric& f, int first_flag) {
    for (int j = 0; j < g().locals; ++j) {
      if (f.Flag(first_flag + j) < epoch_) return false;
    }
    return true;
  }
  PIPESCOPE_BOTH const int32_t* FarBlock(Fabric& f, int n) {
    const int64_t at = n == rank_.node ? window_.FarBlockOut(n) : window_.FarBlockIn(n);
    return reinterpret_cast<const int32_t*>(f.Own(at));
  }

  PIPESCOPE_BOTH void SendBlocks(Fabric& f) {
    for (int n = 0; n < g().nodes; ++n) {
      if (n == rank_.node) continue;
      f.Put(n, window_.FarBlockIn(rank_.node), window_.FarBlockOut(n),
            AlignUp(4 * int64_t{window_.far_block()}, 16), window_.CountsCounter(rank_.node), 1);
    }
  }

  PIPESCOPE_BOTH Progress PassOn(Fabric& f) {
    for (; from_ < g().nodes; ++from_) {
      if (from_ != rank_.node && f.Counter(window_.CountsCounter(from_)) < epoch_) {
        return Progress::kWaits;
      }
      const int32_t* block = FarBlock(f, from_);
      for (int j = 0; j < g().locals; ++j) PassTo(f, block, j);
    }
    for (int j = 0; j < g().locals; ++j) f.Signal(j, window_.CountsFlag(rank_.local), epoch_);
    return Next();
  }

  // Of each channel the rows for GPU j and the choices of its experts.
  PIPESCOPE_BOTH void PassTo(Fabric& f, const int32_t* block, int j) {
    const int own = g().experts_of_rank();
    const int width = 1 + g().locals + g().experts_of_node();
    const int home = g().RankOf(from_, rank_.local);
    auto* to = reinterpret_cast<int32_t*>(f.Near(j, window_.NearBlock(home)));
    for (int i = f.lane(); i < window_.near_block(); i += Fabric::kLanes) {
      const int32_t* of = block + i / (1 + own) * width;
      const int k = i % (1 + own);
      to[i] = k == 0 ? of[1 + j] : of[1 + g().locals + j * own + k - 1];
    }
  }

  PIPESCOPE_BOTH void PlanStreams(Fabric& f) {
    const int width = 1 + g().locals + g().experts_of_node();
    if (f.lane() == 0) {
      int32_t base = 0;
      for (int n = 0; n < g().nodes; ++n) {
        const int32_t* block = FarBlock(f, n);
        for (int c = 0; c < g().channels(); ++c) {
          rank_.plan.stream_base[n * g().channels() + c] = base;
          rank_.plan.stream_rows[n * g().channels() + c] = block[c * width];
          base += block[c * width];
        }
      }
      rank_.plan.totals[1] = base;
    }
  }

  // Lanes share the homes: first each home's sum, then where it begins, then its channels.
  PIPESCOPE_BOTH void PlanRows(Fabric& f) {
    const int width = 1 + g().experts_of_rank();
    const Plan& plan = rank_.plan;
    for (int home = f.lane(); home < g().ranks(); home += Fabric::kLanes) {
      const auto* block = reinterpret_cast<const int32_t*>(f.Own(window_.NearBlock(home)));
      int32_t sum = 0;
      for (int c = 0; c < g().channels(); ++c) sum += block[c * width];
      plan.row_base[home * g().channels()] = sum;
    }
    f.Sync();
    if (f.lane() == 0) {
      int32_t base = 0;
      for (int home = 0; home < g().ranks(); ++home) {
        const int32_t sum = plan.row_base[home * g().channels()];
        plan.row_base[home * g().channels()] = base;
        base += sum;
      }
      plan.totals[0] = base;
    }
    f.Sync();
    for (int home = f.lane(); home < g().ranks(); home += Fabric::kLanes) {
      const auto* block = reinterpret_cast<const int32_t*>(f.Own(window_.NearBlock(home)));
      int32_t base = plan.row_base[home * g().channels()];
      for (int c = 0; c < g().channels(); ++c) {
        plan.row_base[home * g().channels() + c] = base;
        plan.row_rows[home * g().channels() + c] = block[c * width];
        base += block[c * width];
      }
    }
  }

  PIPESCOPE_BOTH void CountExperts(Fabric& f) {
    const int width = 1 + g().experts_of_rank();
    for (int e = f.lane(); e < g().experts_of_rank(); e += Fabric::kLanes) {
      int64_t chosen = 0;
      for (int home = 0; home < g().ranks(); ++home) {
        const auto* block = reinterpret_cast<const int32_t*>(f.Own(window_.NearBlock(home)));
        for (int c = 0; c < g().channels(); ++c) chosen += block[c * width + 1 + e];
      }
      rank_.plan.expert_rows[e] = static_cast<int32_t>(AlignUp(chosen, g().alignment));
    }
  }

  const Rank& rank_;
  const Window window_;
  const uint64_t epoch_;
  int stage_ = 0;
  int from_ = 0;
};

}  // namespace pipescope::kernels::exchange
