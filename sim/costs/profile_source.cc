#include "sim/costs/profile_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/costs/kernel_cost.h"
#include "sim/measured/profile_file.h"

namespace pipescope::costs {
namespace {

using measured::Kind;

constexpr double kFarthest = 4;  // of a neighbour
constexpr size_t kNeighbours = 4;

measured::Pass PassOf(model::Pass pass) {
  return pass == model::Pass::kForward     ? measured::Pass::kForward
         : pass == model::Pass::kInputGrad ? measured::Pass::kInputGrad
                                           : measured::Pass::kWeightGrad;
}

model::Pass PassOf(measured::Pass pass) {
  return pass == measured::Pass::kForward     ? model::Pass::kForward
         : pass == measured::Pass::kInputGrad ? model::Pass::kInputGrad
                                              : model::Pass::kWeightGrad;
}

bool IsKernel(Kind kind) {
  return kind == Kind::kGemm || kind == Kind::kAttention || kind == Kind::kMemory;
}

bool IsCollective(Kind kind) { return kind >= Kind::kAllGather && kind <= Kind::kMessage; }

// A kernel as a profile writes it down.
measured::Operation Written(const model::Kernel& k, int sms) {
  measured::Operation op;
  op.format =
      k.precision == model::Precision::kFp8 ? measured::Format::kFp8 : measured::Format::kBf16;
  op.sms = sms;
  op.pass = PassOf(k.pass);
  const model::AttentionShape& a = k.attention;
  switch (k.kind) {
    case model::KernelKind::kGemm:
      op.kind = Kind::kGemm;
      op.shape = {{"groups", k.groups}, {"m", k.m}, {"n", k.n}, {"k", k.k}};
      break;
    case model::KernelKind::kAttention:
      op.kind = Kind::kAttention;
      op.shape = {{"batch", a.batch},         {"sequence", a.sequence}, {"heads", a.heads},
                  {"key_heads", a.key_heads}, {"qk_dim", a.qk_dim},     {"v_dim", a.v_dim}};
      break;
    case model::KernelKind::kMemory:
      op.kind = Kind::kMemory;
      op.pass = measured::Pass::kNone;
      op.format = measured::Format::kBf16;
      op.shape = {{"bytes", std::max<int64_t>(k.bytes.value(), 1)}};
      break;
  }
  return op;
}

// The other way: FLOPs and bytes as sim/model counts them.
model::Kernel KernelOf(const measured::Operation& op) {
  const auto size = [&](const char* name) { return static_cast<double>(op.shape.at(name)); };
  model::Kernel kernel;
  kernel.pass = PassOf(op.pass);
  const bool fp8 = op.format == measured::Format::kFp8;
  kernel.precision = fp8 ? model::Precision::kFp8 : model::Precision::kBf16;
  if (op.kind == Kind::kMemory) {
    kernel.bytes = Bytes(op.shape.at("bytes"));
  } else if (op.kind == Kind::kGemm) {
    kernel.kind = model::KernelKind::kGemm;
    kernel.groups = op.shape.at("groups");
    kernel.m = op.shape.at("m");
    kernel.n = op.shape.at("n");
    kernel.k = op.shape.at("k");
    const double g = size("groups"), m = size("m"), n = size("n"), k = size("k");
    const double out = op.pass == measured::Pass::kWeightGrad ? 8 : 2;
    kernel.flops = Flops(2 * g * m * n * k);
    kernel.bytes = RoundBytes(g * ((fp8 ? 1.0 + 4.0 / 128 : 2.0) * (m + n) * k + out * m * n));
  } else {
    kernel.kind = model::KernelKind::kAttention;
    const bool forward = op.pass == measured::Pass::kForward;
    const double widths =
        forward ? size("qk_dim") + size("v_dim") : 3 * size("qk_dim") + 2 * size("v_dim");
    const double s = size("sequence");
    kernel.flops = Flops(size("batch") * size("heads") * widths * s * s);  // causal: half of 2
  }
  return kernel;
}

// What a collective moves, which its time is compared by.
double Moved(const measured::Operation& op) { return static_cast<double>(op.shape.at("bytes")); }

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

bool SameGroup(const measured::Operation& a, const measured::Operation& b) {
  for (const char* name : {"gpus", "per_node"}) {
    if (a.shape.contains(name) && a.shape.at(name) != b.shape.at(name)) return false;
  }
  return true;
}

std::vector<double> PositionOf(const measured::Operation& op) {
  std::vector<double> position = {std::log2(std::max(1, op.sms))};
  for (const auto& [name, size] : op.shape) {
    position.push_back(std::log2(static_cast<double>(std::max<int64_t>(1, size))));
  }
  return position;
}

}  // namespace

Result<ProfileSource> ProfileSource::Load(const std::string& path, const topology::Gpu& gpu,
                                          const Efficiencies& efficiencies) {
  auto profile = measured::ReadProfile(path);
  if (!profile) return Fail(profile.error());
  if (profile->sms > 0 && profile->sms != gpu.sms) {
    return Fail(Error{fmt::format("{} SMs: the topology's GPU '{}' has {}; expected a profile of "
                                  "the same GPU",
                                  profile->sms, gpu.name, gpu.sms),
                      {path},
                      "sms"});
  }
  ProfileSource source;
  source.gpu_ = gpu;
  source.efficiencies_ = efficiencies;
  for (const measured::Operation& operation : profile->operations) source.Add(operation);
  source.Derive();
  return source;
}

double ProfileSource::Analytic(const model::Kernel& kernel, int sms) const {
  return KernelTime(kernel, sms > 0 ? sms : gpu_.sms, gpu_, efficiencies_).seconds();
}

void ProfileSource::Add(const measured::Operation& operation) {
  if (operation.kind == Kind::kOther) return;
  Measured m{operation, 0, PositionOf(operation)};
  const bool format =
      operation.format == measured::Format::kFp8 || operation.format == measured::Format::kBf16;
  double analytic = 0;
  if (IsKernel(operation.kind) && (format || operation.kind == Kind::kMemory)) {
    if (operation.kind == Kind::kMemory) m.operation.format = measured::Format::kBf16;
    analytic = Analytic(KernelOf(operation), operation.sms);
  } else if (IsCollective(operation.kind)) {
    m.operation.format = measured::Format::kUnknown;
    m.operation.sms = 0;
    m.position = PositionOf(m.operation);
    analytic = Moved(operation);
  }
  if (analytic > 0) m.ratio = operation.times.mean.seconds() / analytic;
  all_.push_back(std::move(m));
}

void ProfileSource::Derive() {
  std::vector<double> deviations, errors;
  for (const Measured& m : all_) {
    const measured::Times& t = m.operation.times;
    if (t.count > 1 && t.mean > Duration()) deviations.push_back(t.deviation / t.mean);
  }
  measured_spread_ = Median(deviations);
  for (const Measured& m : all_) {
    if (m.ratio == 0 || !IsKernel(m.operation.kind)) continue;
    if (const auto guess = Near(m, true)) errors.push_back(std::abs(guess->ratio / m.ratio - 1));
  }
  interpolated_spread_ = Median(errors);
}

double ProfileSource::SpreadOf(const measured::Operation& operation) const {
  const measured::Times& t = operation.times;
  if (t.count == 1 || t.mean == Duration()) return measured_spread_;
  return t.deviation / t.mean / std::sqrt(static_cast<double>(t.count));
}

std::optional<ProfileSource::Guess> ProfileSource::Near(const Measured& wanted,
                                                        bool leave_out) const {
  std::vector<std::pair<double, const Measured*>> near;
  for (const Measured& m : all_) {
    const measured::Operation &a = m.operation, &b = wanted.operation;
    if (m.ratio == 0 || a.kind != b.kind || a.pass != b.pass || a.format != b.format) continue;
    if (!SameGroup(a, b)) continue;
    double distance = 0;
    for (size_t i = 0; i < m.position.size(); ++i) {
      distance += std::abs(m.position[i] - wanted.position[i]);
    }
    if (leave_out && distance < 1e-9) continue;
    if (distance <= kFarthest) near.emplace_back(distance, &m);
  }
  if (near.empty()) return std::nullopt;
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  near.resize(std::min(near.size(), kNeighbours));
  double sum = 0, weights = 0, spread = 0;
  for (const auto& [distance, m] : near) {
    const double weight = 1 / std::max(distance * distance, 1e-18);
    sum += weight * m->ratio;
    weights += weight;
    spread = std::max(spread, SpreadOf(m->operation));
  }
  return Guess{sum / weights, std::max(spread, interpolated_spread_)};
}

std::optional<Estimate> ProfileSource::Find(const Measured& wanted, double analytic) const {
  for (const Measured& m : all_) {
    if (m.operation.Key() != wanted.operation.Key()) continue;
    return Estimate{m.operation.times.mean, SpreadOf(m.operation), Origin::kMeasured};
  }
  const auto guess = Near(wanted, false);
  if (!guess) return std::nullopt;
  return Estimate{Seconds(guess->ratio * analytic), guess->spread, Origin::kInterpolated};
}

std::optional<Estimate> ProfileSource::Kernel(const model::Kernel& kernel, int sms) const {
  const measured::Operation op = Written(kernel, sms);
  return Find({op, 0, PositionOf(op)}, Analytic(kernel, sms));
}

std::optional<Estimate> ProfileSource::Message(const Collective& c) const {
  if (c.group <= 1) return std::nullopt;
  measured::Operation op;
  const bool pair = c.kind == CollectiveKind::kPointToPoint;
  op.kind = pair ? Kind::kMessage
                 : static_cast<Kind>(static_cast<int>(Kind::kAllGather) + static_cast<int>(c.kind));
  const int64_t bytes = std::max<int64_t>(1, c.whole.value());
  op.shape = pair ? measured::Shape{{"bytes", bytes}, {"per_node", std::min(c.per_node, 2)}}
                  : measured::Shape{{"bytes", bytes}, {"gpus", c.group}, {"per_node", c.per_node}};
  return Find({op, 0, PositionOf(op)}, Moved(op));
}

std::optional<PartEstimate> ProfileSource::Part(const LayerPart& part, int sms) const {
  const Measured* best = nullptr;
  for (const Measured& m : all_) {
    const measured::Operation& op = m.operation;
    if (op.kind != part.kind || op.pass != part.pass || op.format != part.layer.format) continue;
    if (op.shape != part.layer.shape) continue;
    const bool nearer =
        best == nullptr || std::abs(op.sms - sms) < std::abs(best->operation.sms - sms);
    if (nearer) best = &m;
  }
  if (best == nullptr) return std::nullopt;
  const measured::Operation& op = best->operation;
  return PartEstimate{{op.times.mean, SpreadOf(op), Origin::kMeasured}, op.sms};
}

measured::Layer LayerOf(const model::ModelConfig& m, const model::WorkShape& s) {
  measured::Layer layer;
  layer.format = s.fp8 ? measured::Format::kFp8 : measured::Format::kBf16;
  layer.shape = {{"tokens", s.tokens},
                 {"sequence", s.sequence},
                 {"hidden", m.hidden},
                 {"heads", m.attention.heads},
                 {"experts", m.routed_experts},
                 {"experts_per_token", m.experts_per_token},
                 {"expert_width", m.expert_intermediate},
                 {"shared_width", m.shared_intermediate},
                 {"expert_parallel", s.expert_parallel},
                 {"recompute", static_cast<int64_t>(s.recompute)}};
  return layer;
}

}  // namespace pipescope::costs
