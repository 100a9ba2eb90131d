#include "kernels/transformer/device/gpu/sm_plan.h"

#include <string>

namespace pipescope::transformer::device {
namespace {

int UpTo(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

Result<SmPlan> PlanSms(const SmUnits& gpu, int ranks, int communication_sms) {
  if (ranks < 1 || gpu.sms < 1 || gpu.least < 1 || gpu.multiple < 1 || communication_sms < 0) {
    return Fail("SMs of ranks: expected at least one rank, one SM and units of at least one");
  }
  SmPlan plan;
  plan.ranks = ranks;
  plan.unit = UpTo(gpu.least, gpu.multiple);
  const int units = gpu.sms / plan.unit;
  plan.communication_units = UpTo(communication_sms, plan.unit) / plan.unit;
  plan.compute_units = units / ranks - plan.communication_units;
  if (plan.compute_units >= 1) return plan;
  const std::string most = std::to_string(units / (1 + plan.communication_units));
  return Fail(std::to_string(ranks) + " ranks on a GPU of " + std::to_string(gpu.sms) +
              " SMs, with " + std::to_string(communication_sms) +
              " for communication each: expected at most " + most + " ranks, since its SMs are " +
              "divided in units of " + std::to_string(plan.unit));
}

}  // namespace pipescope::transformer::device
