// The exchange among ranks that are threads of this process, or of one thread in a drawn order.
#pragma once

#include <memory>

#include "kernels/exchange/exchange.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

struct CpuExchange {
  static Result<std::unique_ptr<Exchange>> Make(const Config& config, const Schedule& schedule);
};

}  // namespace pipescope::kernels::exchange
