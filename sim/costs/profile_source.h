// Costs from a measured profile (sim/measured): kernels, collectives and whole phases of layers.
//
// What the profile has, on as many SMs, costs its mean. Another shape of the same kind, pass and
// format takes what the analytic model (kernel_cost.h) says of it, corrected by how far that model
// is off at the measured neighbours (neighbours.h): the nearest four by the distance
// sum |log2 ratio| over sizes and SMs, where one lies within 4 (two factors of four), of kernels of
// the same name (written_kernel.h) where there is one, else of all. So tiles, waves and roofline
// carry over from shape to shape, and only their error is interpolated. Memory-bound kernels, of
// which the model knows bytes and a rate, are fitted with a start as well. Collectives are
// corrected in the same way, by bytes of the same group; no other group's are. So are dispatch and
// combine of other tokens or of another width, by their product, with a start; all else of the
// layer must be the same, and on another number of SMs they are drawn to the nearest ones' times.
//
// The communication that calibrate runs beside kernels is read by its name and its SMs; no step's
// costs are, but predictions that are held against measurements.
//
// Spread of a measurement: that of its mean, deviation / sqrt(count) / mean, since a step uses the
// mean many times: what single times deviate evens out, what the mean is off by adds up. For a
// single time the median deviation of the profile stands. Of a guess: the median error of the same
// method on the profile's own shapes of kernels, each left out in turn, and no less than what a
// neighbour has.
//
// Example: one GEMM measured at 1.2 times the analytic time makes all GEMMs within reach 1.2 times
// as long; a second one at 1.0 and at twice the distance draws that to (1.2 + 1.0 / 4) / 1.25. A
// quantiser measured at 10 us for 1 MB and 22 us for 4 MB takes 14 us for 2 MB.
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/costs/efficiencies.h"
#include "sim/costs/estimate.h"
#include "sim/measured/profile.h"
#include "sim/model/config.h"
#include "topology/cluster.h"

namespace pipescope::costs {

class ProfileSource : public Source {
 public:
  // Fails where the profile was measured on a GPU with another number of SMs.
  static Result<ProfileSource> Load(const std::string& path, const topology::Gpu& gpu,
                                    const Efficiencies& efficiencies);
  static ProfileSource Of(const measured::Profile& profile, const topology::Gpu& gpu,
                          const Efficiencies& efficiencies);

  std::optional<Estimate> Kernel(const model::Kernel& kernel, int sms) const override;
  std::optional<Estimate> Message(const Collective& collective) const override;
  std::optional<PartEstimate> Part(const LayerPart& part, int sms) const override;

  // The same for an operation as a profile writes it down, of any kind that costs are read from;
  // its times are not looked at. Kernel and Message ask the same of what they are written as.
  std::optional<Estimate> Operation(const measured::Operation& operation) const;

  double interpolated_spread() const { return interpolated_spread_; }

 private:
  struct Measured {
    measured::Operation operation;
    double model = 0;              // what is said of it without measurements; 0 where nothing is
    std::vector<double> position;  // log2 of sizes and SMs
  };
  struct Guess {
    double seconds = 0;
    double spread = 0;
  };
  void Add(const measured::Operation& operation);
  void Derive();
  double SpreadOf(const measured::Operation& operation) const;
  Measured Placed(const measured::Operation& operation) const;
  double Modelled(const measured::Operation& operation) const;
  std::optional<Guess> Near(const Measured& wanted, bool named, bool leave_out) const;
  std::optional<Guess> Near(const Measured& wanted, bool leave_out) const;
  const Measured* Exactly(const Measured& wanted) const;
  std::optional<Estimate> Find(const Measured& wanted) const;

  topology::Gpu gpu_;
  Efficiencies efficiencies_;
  std::vector<Measured> all_;
  double measured_spread_ = 0, interpolated_spread_ = 0;
};

// A layer's part of a model under a plan, as a profile tells it.
measured::Layer LayerOf(const model::ModelConfig& model, const model::WorkShape& shape);

}  // namespace pipescope::costs
