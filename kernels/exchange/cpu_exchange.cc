#include "kernels/exchange/cpu_exchange.h"

#include "kernels/exchange/cpu_warps.h"
#include "kernels/exchange/host_exchange.h"

namespace pipescope::kernels::exchange {

Result<std::unique_ptr<Exchange>> CpuExchange::Make(const Config& config,
                                                    const Schedule& schedule) {
  return HostExchange<CpuWarps>::Make(config, schedule);
}

}  // namespace pipescope::kernels::exchange
