#include "sim/costs/profile_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/costs/kernel_cost.h"
#include "sim/costs/neighbours.h"
#include "sim/costs/written_kernel.h"
#include "sim/measured/profile_file.h"

namespace pipescope::costs {
namespace {

using measured::Kind;

constexpr double kFarthest = 4;  // of a neighbour
constexpr size_t kNeighbours = 4;
constexpr double kGuessedExchange = 0.15;  // of its spread, as of messages that nothing was held to

bool IsKernel(Kind kind) {
  return kind == Kind::kGemm || kind == Kind::kAttention || kind == Kind::kMemory;
}

bool IsCollective(Kind kind) { return kind >= Kind::kAllGather && kind <= Kind::kMessage; }

bool IsExchange(Kind kind) { return kind == Kind::kDispatch || kind == Kind::kCombine; }

// What the model knows grows with nothing but bytes.
Trend TrendOf(Kind kind) {
  return kind == Kind::kMemory || IsExchange(kind) ? Trend::kAffine : Trend::kProportional;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Whether one may be guessed from the other: sizes that are not sizes are the same.
bool Comparable(const measured::Operation& a, const measured::Operation& b) {
  if (a.kind != b.kind || a.pass != b.pass || a.format != b.format) return false;
  for (const auto& [name, size] : a.shape) {
    const bool grows = IsExchange(a.kind)
                           ? name == "tokens" || name == "sequence" || name == "hidden"
                           : name != "gpus" && name != "per_node";
    if (!grows && b.shape.at(name) != size) return false;
  }
  return true;
}

std::vector<double> PositionOf(const measured::Operation& op) {
  std::vector<double> position = {std::log2(std::max(1, op.sms))};
  for (const auto& [name, size] : op.shape) {
    if (IsExchange(op.kind) && name == "sequence") continue;  // moves nothing
    position.push_back(std::log2(static_cast<double>(std::max<int64_t>(1, size))));
  }
  return position;
}

// The analytic model's seconds. What a memory-bound kernel takes at least is not in them: the start
// of the line through its neighbours is.
double ModelOf(const model::Kernel& kernel, int sms, const topology::Gpu& gpu, Efficiencies e) {
  if (kernel.kind == model::KernelKind::kMemory) e.small_kernel = Duration();
  return KernelTime(kernel, sms > 0 ? sms : gpu.sms, gpu, e).seconds();
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
  return Of(*profile, gpu, efficiencies);
}

ProfileSource ProfileSource::Of(const measured::Profile& profile, const topology::Gpu& gpu,
                                const Efficiencies& efficiencies) {
  ProfileSource source;
  source.gpu_ = gpu;
  source.efficiencies_ = efficiencies;
  for (const measured::Operation& operation : profile.operations) source.Add(operation);
  source.Derive();
  return source;
}

double ProfileSource::Modelled(const measured::Operation& op) const {
  const auto size = [&](const char* name) { return static_cast<double>(op.shape.at(name)); };
  if (IsCollective(op.kind)) return size("bytes");
  if (IsExchange(op.kind)) return size("tokens") * size("hidden");
  if (op.kind == Kind::kOther) return 1 / size("blocks");  // a GB, of which each SM has its part
  if (!IsKernel(op.kind) || op.format == measured::Format::kUnknown) return 0;
  return ModelOf(KernelOf(op), op.sms, gpu_, efficiencies_);
}

// Of a memory-bound kernel and of a collective the format says nothing; a collective has no SMs.
ProfileSource::Measured ProfileSource::Placed(const measured::Operation& operation) const {
  Measured m{operation, 0, {}};
  if (operation.kind == Kind::kMemory) m.operation.format = measured::Format::kBf16;
  if (IsCollective(operation.kind)) {
    m.operation.format = measured::Format::kUnknown;
    m.operation.sms = 0;
  }
  m.operation.name = BareName(operation.name);
  m.position = PositionOf(m.operation);
  m.model = Modelled(m.operation);
  return m;
}

void ProfileSource::Add(const measured::Operation& operation) {
  const bool read = operation.kind != Kind::kOther || operation.name.starts_with("communication");
  if (read) all_.push_back(Placed(operation));
}

void ProfileSource::Derive() {
  std::vector<double> deviations, errors;
  for (const Measured& m : all_) {
    const measured::Times& t = m.operation.times;
    if (t.count > 1 && t.mean > Duration()) deviations.push_back(t.deviation / t.mean);
  }
  measured_spread_ = Median(deviations);
  for (const Measured& m : all_) {
    const double seconds = m.operation.times.mean.seconds();
    if (seconds == 0 || !IsKernel(m.operation.kind)) continue;
    if (const auto guess = Near(m, true)) errors.push_back(std::abs(guess->seconds / seconds - 1));
  }
  interpolated_spread_ = Median(errors);
}

double ProfileSource::SpreadOf(const measured::Operation& operation) const {
  const measured::Times& t = operation.times;
  if (t.count == 1 || t.mean == Duration()) return measured_spread_;
  return t.deviation / t.mean / std::sqrt(static_cast<double>(t.count));
}

std::optional<ProfileSource::Guess> ProfileSource::Near(const Measured& wanted, bool named,
                                                        bool leave_out) const {
  std::vector<std::pair<Neighbour, const Measured*>> near;
  for (const Measured& m : all_) {
    const double seconds = m.operation.times.mean.seconds();
    if (m.model == 0 || seconds == 0 || !Comparable(m.operation, wanted.operation)) continue;
    if (named && m.operation.name != wanted.operation.name) continue;
    double distance = 0;
    for (size_t i = 0; i < m.position.size(); ++i) {
      distance += std::abs(m.position[i] - wanted.position[i]);
    }
    if (leave_out && distance < 1e-9) continue;
    if (distance <= kFarthest) near.emplace_back(Neighbour{distance, m.model, seconds}, &m);
  }
  if (near.empty() || wanted.model == 0) return std::nullopt;
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) {
    return a.first.distance < b.first.distance;
  });
  near.resize(std::min(near.size(), kNeighbours));
  std::vector<Neighbour> neighbours;
  double spread = interpolated_spread_;
  for (const auto& [neighbour, m] : near) {
    neighbours.push_back(neighbour);
    spread = std::max(spread, SpreadOf(m->operation));
  }
  return Guess{GuessFrom(neighbours, wanted.model, TrendOf(wanted.operation.kind)), spread};
}

std::optional<ProfileSource::Guess> ProfileSource::Near(const Measured& wanted,
                                                        bool leave_out) const {
  if (!wanted.operation.name.empty()) {
    if (const auto guess = Near(wanted, true, leave_out)) return guess;
  }
  if (wanted.operation.kind == Kind::kOther) return std::nullopt;
  return Near(wanted, false, leave_out);
}

// The one of the same name; else the only one. Of several memory-bound kernels that move as many
// bytes none is meant, and none is where neighbours of the same name say more.
const ProfileSource::Measured* ProfileSource::Exactly(const Measured& wanted) const {
  const measured::Operation& w = wanted.operation;
  const Measured* only = nullptr;
  int count = 0;
  for (const Measured& m : all_) {
    const measured::Operation& op = m.operation;
    if (op.kind != w.kind || op.pass != w.pass || op.format != w.format) continue;
    if (op.shape != w.shape || op.sms != w.sms) continue;
    if (op.name == w.name) return &m;
    only = &m;
    ++count;
  }
  if (w.kind == Kind::kMemory && !w.name.empty() && Near(wanted, true, false)) return nullptr;
  return count == 1 ? only : nullptr;
}

std::optional<Estimate> ProfileSource::Find(const Measured& wanted) const {
  if (const Measured* m = Exactly(wanted)) {
    return Estimate{m->operation.times.mean, SpreadOf(m->operation), Origin::kMeasured};
  }
  const auto guess = Near(wanted, false);
  if (!guess) return std::nullopt;
  return Estimate{Seconds(guess->seconds), guess->spread, Origin::kInterpolated};
}

std::optional<Estimate> ProfileSource::Operation(const measured::Operation& operation) const {
  return Find(Placed(operation));
}

// By the kernel's own FLOPs and bytes: its shape does not tell how far an attention looks back.
std::optional<Estimate> ProfileSource::Kernel(const model::Kernel& kernel, int sms) const {
  Measured wanted = Placed(Written(kernel, sms));
  wanted.model = ModelOf(kernel, sms, gpu_, efficiencies_);
  return Find(wanted);
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
  return Operation(op);
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
  if (IsExchange(part.kind) && (best == nullptr || best->operation.sms != sms)) {
    const auto guess =
        Operation({part.kind, part.pass, part.layer.format, part.layer.shape, sms, {}, "", ""});
    if (guess) {
      Estimate estimate = *guess;
      estimate.spread = std::max(estimate.spread, kGuessedExchange);
      return PartEstimate{estimate, best == nullptr ? sms : best->operation.sms};
    }
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
