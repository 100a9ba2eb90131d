// A table of measured efficiencies by shape: SimuMax's system files, read as they are.
//
//   accelerator.op.KIND        tflops (peak) and accurate_efficient_factor: {"shape": share of
//   peak} accelerator.bandwidth.KIND gbps (2^30 bytes a second), efficient_factor, latency_us
//   networks.LEVEL.op.KIND     scale, offset, efficient_factor, latency_us, fixed latencies
//
//   GEMM, grouped GEMM  time = FLOPs / (peak share)
//   attention           the same, of the whole square of scores: twice the causal FLOPs; backward
//                       2.5 times as many as forward
//   memory-bound        bytes / (rate share) + latency
//   collective          (scale n + offset) / n bytes / (rate share) + (n + offset) scale latency
//                       + fixed latency; the latter may depend on n
//
// Two corrections that the table itself asks for:
// - GEMMs were timed alone, in loops of one shape. Loops of short kernels end before the GPU lowers
//   its clock to keep its power; those of 2 ms and more do not. On B200 no shape of 2 ms and more
//   exceeds 1243 TFLOPS, and half of them 1085, while short ones show up to 1474. A training step
//   keeps the GPU at its power throughout: no GEMM counts as faster than the median of the long
//   ones (sustained()).
// - Grouped GEMMs and attention were measured in the same way, but reach less than that anyway.
//
// A shape that is not in the table takes the efficiency of its neighbours of the same layout and
// output type: the mean of the nearest four by the distance sum |log2 ratio| over m, n and k,
// weighted by 1 / distance^2, where one lies within 4 (two factors of four). Its spread is the
// median error of the same method on the shapes of the table, each left out in turn. A measured
// shape's spread is the larger of two: the median difference of attention shapes measured twice
// (contiguous and separate operands), and half the way from the 16 % to the 84 % quantile of the
// long GEMMs' rates, since a step's clock is not known better than theirs.
//
// Example, B200: o_proj of Llama 3 70B, 4096 x 8192 x 8192 forward: share 0.4625 of 2250 TFLOPS,
// 528 us. Source of the format and of these formulas: SimuMax docs/system.md and
// simumax/core/config.py (Apache-2.0); a rough sum over one row agrees.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"
#include "sim/costs/estimate.h"

namespace pipescope::costs {

struct MeasuredGemm {
  std::string kind;                      // layout and output, or the stage of a grouped GEMM
  double share = 0;                      // of the peak
  double seconds = 0;                    // that it took
  std::array<double, 4> log_shape = {};  // log2 of groups, m, n, k
};

struct MeasuredRate {
  Bandwidth rate;  // reached
  Duration latency;
};

struct MeasuredCollective {
  double scale = 1, offset = 0;
  Bandwidth rate;
  Duration latency, fixed;
  std::map<int, Duration> fixed_of;  // by GPUs
};

class EfficiencyFile : public Source {
 public:
  // `sms`: of the GPU that was measured, all of which the kernels had.
  static Result<EfficiencyFile> Load(const std::string& path, int sms);

  std::optional<Estimate> Kernel(const model::Kernel& kernel, int sms) const override;
  std::optional<Estimate> Message(const Collective& collective) const override;

  FlopRate sustained() const { return sustained_; }
  double measured_spread() const { return measured_spread_; }
  double interpolated_spread() const { return interpolated_spread_; }
  size_t gemms() const { return gemms_.size(); }

 private:
  friend class EfficiencyReader;
  struct Guess {
    double share = 0;
    bool measured = false;
  };
  std::optional<Guess> ShareOf(const std::string& kind, const std::array<double, 4>& shape,
                               const MeasuredGemm* left_out) const;
  std::optional<Estimate> Gemm(const model::Kernel& kernel, int sms) const;
  std::optional<Estimate> Attention(const model::Kernel& kernel) const;
  Estimate Memory(const model::Kernel& kernel) const;
  void Derive();

  FlopRate peak_;
  FlopRate sustained_;
  int sms_ = 0;
  double measured_spread_ = 0, interpolated_spread_ = 0;
  std::vector<MeasuredGemm> gemms_;
  std::map<std::string, double> attention_;  // by pass and shape
  std::map<std::string, MeasuredRate> memory_;
  std::map<std::string, MeasuredCollective> collectives_;  // by level and name
};

}  // namespace pipescope::costs
