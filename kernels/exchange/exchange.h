// An exchange among ranks, whatever carries it: threads of a CPU, one GPU, the GPUs of a node.
//
//   auto rows = exchange.Dispatch(tokens);           layout, notify, dispatch
//   auto sums = exchange.Combine(results, weights);  with the plan of that dispatch
//   auto d_rows = exchange.DispatchAgain(d_tokens);  combine's gradient: the same plan
//
// The gradient of dispatch is Combine. After a failure an exchange is of no more use.
#pragma once

#include <vector>

#include "kernels/exchange/data.h"

namespace pipescope::kernels::exchange {

enum class Part { kNotify, kDispatch, kCombine };

class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual Result<std::vector<DispatchOutput>> Dispatch(
      const std::vector<DispatchInput>& inputs) = 0;
  // Values and scales alone, where the last Dispatch sent its tokens.
  virtual Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) = 0;
  // Rows as the last dispatch returned them, with or without weights.
  virtual Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                                     bool weights) = 0;
  // Does a part of the last call of its kind again, `runs` times, and tells how long each took:
  // from when all ranks may start to when the last one ends, without copies to or from the host.
  // The notify is timed with its layout.
  virtual Result<std::vector<double>> Seconds(Part part, int runs) = 0;
};

}  // namespace pipescope::kernels::exchange
