#include "topology/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "topology/fabric.h"
#include "topology/faults.h"

namespace pipescope::topology {
namespace {

tl::unexpected<Error> FailAt(std::string field, std::string message) {
  return Fail(Error{std::move(message), {}, std::move(field)});
}

// "1, 2, 4 or 8": the numbers of NICs that `gpus` GPUs can share evenly.
std::string Divisors(int gpus) {
  std::vector<int> all;
  for (int n = 1; n <= gpus; ++n) {
    if (gpus % n == 0) all.push_back(n);
  }
  std::string text = std::to_string(all.front());
  for (size_t i = 1; i < all.size(); ++i) {
    text += (i + 1 == all.size() ? " or " : ", ") + std::to_string(all[i]);
  }
  return text;
}

Status CheckSize(const Cluster& cluster) {
  const Node& node = cluster.node;
  if (node.gpus < 1 || node.gpus > kMaxGpusPerNode) {
    return FailAt("node.gpus",
                  fmt::format("{}: expected from 1 to {}", node.gpus, kMaxGpusPerNode));
  }
  if (cluster.nodes < 1 || cluster.nodes > kMaxNodes) {
    return FailAt("nodes", fmt::format("{}: expected from 1 to {}", cluster.nodes, kMaxNodes));
  }
  const int64_t gpus = static_cast<int64_t>(cluster.nodes) * node.gpus;
  if (gpus > kMaxGpus) {
    return FailAt("nodes", fmt::format("{} nodes of {} GPUs are {} GPUs; at most {} are supported",
                                       cluster.nodes, node.gpus, gpus, kMaxGpus));
  }
  return {};
}

Status CheckNode(const Cluster& cluster) {
  const Node& node = cluster.node;
  const FabricKind kind = cluster.fabric.kind;
  const auto known = [&](const char* field) {
    return std::find(cluster.unknown.begin(), cluster.unknown.end(), field) ==
           cluster.unknown.end();
  };
  if (node.gpus > 1 && !(node.nvlink.value() > 0) && known("node.nvlink")) {
    return FailAt("node.nvlink",
                  fmt::format("must be above zero to join the {} GPUs of a node", node.gpus));
  }
  if (node.nvlink_nominal.value() != 0 && node.nvlink > node.nvlink_nominal) {
    return FailAt("node.nvlink", "is what transfers reach; expected at most node.nvlink_nominal");
  }
  if (node.nics < 0) return FailAt("node.nics", "must not be below zero");
  if (kind == FabricKind::kNone) return {};
  if (node.nics == 0) return FailAt("node.nics", "0: a fabric joins NICs; expected at least 1");
  if (node.nics > node.gpus) {
    return FailAt("node.nics",
                  fmt::format("{} NICs for {} GPUs: give several NICs of one GPU as one "
                              "with their summed rate",
                              node.nics, node.gpus));
  }
  if (node.gpus % node.nics != 0) {
    return FailAt("node.nics",
                  fmt::format("{} NICs cannot be shared evenly by {} GPUs; expected {}", node.nics,
                              node.gpus, Divisors(node.gpus)));
  }
  if (!(node.nic.value() > 0)) return FailAt("node.nic", "must be above zero");
  if (!(node.pcie.value() > 0) && known("node.pcie"))
    return FailAt("node.pcie", "must be above zero");
  return {};
}

}  // namespace

Status CheckCluster(const Cluster& cluster) {
  if (auto ok = CheckSize(cluster); !ok) return ok;
  if (auto ok = CheckNode(cluster); !ok) return ok;
  if (auto ok = EntryOf(cluster.fabric.kind).check(cluster); !ok) return ok;
  return CheckFaults(cluster);
}

Status CheckKnown(const Cluster& cluster) {
  if (cluster.unknown.empty()) return {};
  std::string fields;
  for (const std::string& field : cluster.unknown) fields += (fields.empty() ? "" : ", ") + field;
  return FailAt(cluster.unknown.front(),
                fmt::format("a prediction needs what is unknown here: fill in {}", fields));
}

}  // namespace pipescope::topology
