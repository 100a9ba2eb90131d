#include "sim/costs/prediction.h"

#include <fmt/format.h>

#include "sim/base/quantity.h"
#include "sim/costs/written_kernel.h"

namespace pipescope::costs {
namespace {

Result<std::string> Fact(const measured::Profile& profile, const std::string& name) {
  const auto fact = profile.machine.find(name);
  if (fact != profile.machine.end()) return fact->second;
  return Fail(
      Error{"is missing; expected a profile of this version of calibrate, or a topology "
            "that says what the device is",
            {},
            "machine." + name});
}

}  // namespace

Prediction Predict(const ProfileSource& source, measured::Operation operation) {
  operation.times = {};
  const auto predicted = source.Operation(operation);
  return {std::move(operation), predicted};
}

Result<topology::Gpu> GpuOf(const measured::Profile& profile) {
  topology::Gpu gpu;
  gpu.name = profile.device;
  gpu.sms = profile.sms;
  const auto copy = Fact(profile, "copy rate");
  if (!copy) return Fail(copy.error());
  const auto matrix = Fact(profile, "matrix rate");
  if (!matrix) return Fail(matrix.error());
  const auto bandwidth = ParseBandwidth(*copy);
  if (!bandwidth || bandwidth->value() <= 0) {
    return Fail(Error{
        fmt::format("'{}': expected a bandwidth above zero", *copy), {}, "machine.copy rate"});
  }
  const auto rate = ParseFlopRate(*matrix);
  if (!rate || rate->value() <= 0) {
    return Fail(Error{fmt::format("'{}': expected a rate of FLOPs above zero", *matrix),
                      {},
                      "machine.matrix rate"});
  }
  gpu.memory_bandwidth = *bandwidth;
  gpu.fp8 = *rate;
  gpu.bf16 = gpu.sms > 0 ? FlopRate(rate->value() / 2) : *rate;
  return gpu;
}

Status CheckHeldOut(const measured::Profile& profile, const measured::Operation& operation) {
  for (const measured::Operation& op : profile.operations) {
    if (op.Key() != operation.Key() || BareName(op.name) != BareName(operation.name)) continue;
    const std::string source = operation.source.empty() ? "" : " (" + operation.source + ")";
    return Fail(fmt::format("{}{}: is in the profile; expected a shape that was held out",
                            operation.name.empty() ? Name(operation.kind) : operation.name,
                            source));
  }
  return {};
}

}  // namespace pipescope::costs
