// Rows between ranks that are threads and have a group of experts each, through the real dispatch
// and combine (kernels/exchange), each rank from its own communication lane. Where ranks are
// processes: letter_rows.h.
//
// Rows are padded to the exchange's multiple of 128 values, with zeros.
#pragma once

#include "kernels/exchange/cpu_group.h"
#include "kernels/transformer/config.h"
#include "kernels/transformer/expert_rows.h"
#include "sim/base/result.h"

namespace pipescope::transformer {

// The exchange of `model.expert_groups` ranks with that model's rows.
Result<std::unique_ptr<kernels::exchange::CpuGroup>> MakeGroup(const ModelConfig& model);

class OverExchange : public ExpertCarrier {
 public:
  // The rank's place in its group is also the group of experts that it has.
  OverExchange(const ModelConfig& model, std::shared_ptr<kernels::exchange::CpuGroup> group,
               int place)
      : model_(model), group_(std::move(group)), place_(place) {}
  std::unique_ptr<ExpertRows> Open() override;
  void Cancel() override { group_->Cancel(); }

 private:
  const ModelConfig& model_;
  std::shared_ptr<kernels::exchange::CpuGroup> group_;
  int place_;
};

}  // namespace pipescope::transformer
