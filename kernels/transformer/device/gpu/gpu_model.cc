#include "kernels/transformer/device/gpu/gpu_model.h"

#include <string>
#include <utility>

#include "kernels/train/cuda/attention_cuda.h"
#include "kernels/train/device/router.h"

namespace pipescope::transformer::device {
namespace {

namespace cuda = kernels::cuda;

std::string Named(const ModelConfig& m) { return "model " + m.name + " on a GPU: "; }

Status CheckWidths(const ModelConfig& m) {
  const std::pair<const char*, int64_t> widths[] = {
      {"hidden", m.hidden},
      {"vocabulary", m.vocabulary},
      {"nope channels", m.nope},
      {"rotary channels", m.rotary},
      {"q_rank", m.q_rank},
      {"kv_rank", m.kv_rank},
      {"dense_hidden", m.dense_hidden},
      {"expert_hidden", m.expert_hidden},
      {"shared_hidden", m.shared_hidden},
      {"experts", m.routing.experts},
  };
  for (const auto& [name, width] : widths) {
    if (width % 8 == 0) continue;
    return Fail(Named(m) + name + ": '" + std::to_string(width) +
                "': expected a multiple of 8, 16 bytes of BF16");
  }
  return {};
}

}  // namespace

Status CheckGpuModel(const ModelConfig& m) {
  if (Status ok = CheckWidths(m); !ok) return ok;
  const cuda::AttentionWidth width{static_cast<int>(m.nope + m.rotary),
                                   static_cast<int>(m.v_channels)};
  if (!cuda::IsAttentionWidth(width)) {
    return Fail(Named(m) + "heads of " + std::to_string(width.qk) + " and " +
                std::to_string(width.v) +
                " channels: expected 192 or 128, and 128, which there are kernels for: \"large\"");
  }
  const auto& r = m.routing;
  if (r.experts > kernels::device::kMostExperts || r.groups > kernels::device::kMostGroups ||
      r.selected > kernels::device::kMostSelected) {
    return Fail(Named(m) + "its router: expected at most " +
                std::to_string(kernels::device::kMostExperts) + " experts, " +
                std::to_string(kernels::device::kMostGroups) + " groups and " +
                std::to_string(kernels::device::kMostSelected) + " selected");
  }
  return {};
}

}  // namespace pipescope::transformer::device
