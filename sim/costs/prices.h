// What operations cost, from the sources of an experiment mixed by operation: measured tables where
// they know the shape or its neighbours, else the analytic model.
//
// A phase takes the sum of its kernels; kernels of the analytic model are followed by the gap
// between two kernels, which measured times contain. Every part tells its origin and its spread;
// spreads add up, as errors of one table tend to one side. Spreads of the analytic model are what
// it was seen to be off by where it had been given nothing but constants:
//   GEMM 5 %            DeepGEMM's table for H800 (tests/sim/costs)
//   attention 5 %       the H800 trace's other kernels
//   memory-bound 20 %   casts, norms and copies of the same trace
//   dispatch, combine 5 % alone (DeepEP's table), 20 % beside computation (1.2 to 1.8 times longer
//                       there, 1.42 in the mean)
//   notify 50 %         0.75 to 3.8 ms in the trace, 2.0 ms in the mean
//   other messages 15 % not checked against any measurement
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/costs/communication_cost.h"
#include "sim/costs/demand.h"
#include "sim/costs/efficiencies.h"
#include "sim/costs/estimate.h"
#include "topology/cluster.h"

namespace pipescope::costs {

// What a cost is about. Errors within one subject tend to one side, those of two are independent.
enum class Subject { kGemm, kAttention, kMemory, kPhase, kExchange, kNotify, kMessage };
inline constexpr int kSubjects = 7;

struct PricePart {
  std::string what;  // "expert_down 1024 x 7168 x 2048, 32 groups"
  Subject subject = Subject::kPhase;
  Origin origin = Origin::kAnalytic;
  Duration time;
  Duration spread;
};

struct Price {
  Demand demand;
  std::vector<PricePart> parts;

  Price& operator+=(const Price& after);  // one after the other
  void Scale(double times);               // what it takes, not what it moves
};

// What measurements stand for. On another cluster, or with other efficiencies, a measured time
// changes as the analytic model's does: time x model(now) / model(then).
struct Basis {
  topology::Cluster cluster;
  Efficiencies efficiencies;
};

class Prices {
 public:
  // Sources are asked in order. `basis` null: they were measured on just this. Keeps references to
  // the first two.
  Prices(const topology::Cluster& cluster, const Efficiencies& efficiencies,
         std::vector<std::shared_ptr<const Source>> sources,
         std::shared_ptr<const Basis> basis = nullptr);

  Price Phase(const std::vector<model::Kernel>& kernels, int sms) const;
  // The same for a part of a MoE layer, which may have been measured as a whole. On another number
  // of SMs it takes as much more or less as its kernels would. What was measured beside others has
  // in it what their share of HBM cost: it asks for none.
  Price Part(const LayerPart& part, const std::vector<model::Kernel>& kernels, int sms) const;
  // A part that sends, or its notify, as the model computes it now and, where there is a basis, as
  // it did there; nothing where nobody measured it.
  std::optional<Price> Part(const LayerPart& part, int sms, const Demand& computed,
                            Duration then) const;
  Price Message(const Collective& collective) const;
  // A pass over memory outside the model's blocks, such as the optimizer's.
  Price Memory(const char* name, Bytes bytes) const;

  const Links& links() const { return links_; }
  const Basis* basis() const { return basis_.get(); }

 private:
  const topology::Cluster& cluster_;
  const Efficiencies& efficiencies_;
  std::optional<Estimate> Measured(const model::Kernel& kernel, int sms) const;
  std::optional<PartEstimate> Measured(const LayerPart& part, int sms) const;
  // model(now) / model(then)
  double Changed(const std::vector<model::Kernel>& kernels, int sms) const;

  std::vector<std::shared_ptr<const Source>> sources_;
  std::shared_ptr<const Basis> basis_;
  Links links_;
};

}  // namespace pipescope::costs
