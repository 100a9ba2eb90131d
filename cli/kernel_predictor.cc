#include "cli/kernel_predictor.h"

#include <fmt/format.h>

#include "sim/base/quantity.h"
#include "sim/measured/profile_file.h"
#include "topology/load.h"

namespace pipescope::cli {
namespace {

Result<topology::Gpu> GpuOf(const measured::Profile& profile, const std::string& topology) {
  if (topology.empty()) return costs::GpuOf(profile);
  const auto cluster = topology::LoadCluster(topology);
  if (!cluster) return Fail(cluster.error());
  if (cluster->gpu.sms == profile.sms) return cluster->gpu;
  return Fail(fmt::format("--topology: its GPU '{}' has {} SMs: expected one of {}, as the profile",
                          cluster->gpu.name, cluster->gpu.sms, profile.sms));
}

}  // namespace

Error In(const std::string& path, Error error) {
  if (error.where.file.empty()) error.where.file = path;
  return error;
}

Result<measured::Profile> ReadProfileOf(const std::string& path) {
  auto profile = measured::ReadProfile(path);
  if (!profile) return Fail(In(path, profile.error()));
  return profile;
}

Result<KernelPredictor> KernelPredictor::Of(measured::Profile profile,
                                            const std::string& topology) {
  const auto gpu = GpuOf(profile, topology);
  if (!gpu) return Fail(gpu.error());
  return KernelPredictor(std::move(profile), *gpu,
                         fmt::format("{}: {}, {}", topology.empty() ? "measured" : topology,
                                     Format(gpu->memory_bandwidth),
                                     Format(gpu->fp8.value() > 0 ? gpu->fp8 : gpu->bf16)));
}

Result<costs::Prediction> KernelPredictor::Predict(const measured::Operation& operation) const {
  if (auto ok = costs::CheckHeldOut(profile_, operation); !ok) return Fail(ok.error());
  return costs::Predict(source_, operation);
}

}  // namespace pipescope::cli
