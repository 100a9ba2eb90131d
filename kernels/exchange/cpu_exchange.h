// The exchange among ranks that are threads of this process, or of one thread in a drawn order.
#pragma once

#include <memory>
#include <vector>

#include "kernels/exchange/cpu_fabric.h"
#include "kernels/exchange/exchange.h"
#include "kernels/exchange/roles.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

class CpuExchange : public Exchange {
 public:
  static Result<std::unique_ptr<Exchange>> Make(const Config& config, const Schedule& schedule);

  Result<std::vector<DispatchOutput>> Dispatch(const std::vector<DispatchInput>& inputs) override;
  Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) override;
  Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                             bool weights) override;
  Result<std::vector<double>> Seconds(Part part, int runs) override;

 private:
  CpuExchange(const Config& config, const Schedule& schedule);
  Result<std::vector<DispatchOutput>> Send(const std::vector<DispatchInput>& inputs,
                                           bool with_experts);
  Status Notify();
  template <Direction direction>
  Status Run();

  const Config config_;
  const Window window_;
  const Schedule schedule_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::byte*> windows_;
  std::vector<Rank> ranks_;
  bool planned_ = false;
  // Of the last calls: what Seconds does again works on them.
  std::vector<DispatchInput> inputs_;
  std::vector<DispatchOutput> received_;
  std::vector<CombineInput> results_;
  std::vector<CombineOutput> sums_;
};

}  // namespace pipescope::kernels::exchange
