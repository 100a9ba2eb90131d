// The exchange as one rank calls it, from a thread of its own: what a training run does.
//
//   every rank, in the same order    Dispatch(rank, tokens, handle)   keeps the plan in the handle
//                                    Combine(rank, results, ..., handle)
//                                    DispatchAgain(rank, gradients, handle)
//
// Many handles may be open, one for each layer of each micro-batch in flight. A call waits, without
// using its processor, until all ranks have come; then each steps its own warps.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels/exchange/cpu_fabric.h"
#include "kernels/exchange/data.h"
#include "kernels/exchange/roles.h"
#include "kernels/exchange/schedule.h"

namespace pipescope::kernels::exchange {

// DeepEP's handle: what a rank knows of one dispatch.
struct Handle {
  Rank rank;
  std::vector<std::byte> plan;
};

class CpuGroup {
 public:
  static Result<std::unique_ptr<CpuGroup>> Make(const Config& config);

  Result<DispatchOutput> Dispatch(int rank, const DispatchInput& input, Handle& handle);
  // Values and scales alone, where the dispatch of `handle` sent its tokens.
  Result<DispatchOutput> DispatchAgain(const DispatchInput& input, Handle& handle);
  Result<CombineOutput> Combine(const CombineInput& input, bool weights, Handle& handle);

  // Whoever waits, now or later, fails. From any thread.
  void Cancel();

 private:
  explicit CpuGroup(const Config& config);
  Status Meet();
  Status RunAll(std::vector<Task> tasks);
  template <Direction way>
  Status Move(const Rank& rank);
  Result<DispatchOutput> Send(const DispatchInput& input, bool with_experts, Handle& handle);

  const Config config_;
  const Window window_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<std::byte*> windows_;
  std::mutex mutex_;
  std::condition_variable met_;
  int there_ = 0;
  uint64_t meeting_ = 0;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace pipescope::kernels::exchange
