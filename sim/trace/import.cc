#include "sim/trace/import.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

#include "sim/trace/gemm_calls.h"
#include "sim/trace/phases.h"

namespace pipescope::trace {
namespace {

using measured::Kind;
using measured::Pass;

constexpr Duration kMostGap = Duration(10'000'000);  // between two operations of a phase

// Time in which operations run, or pause briefly. They come in the order of their starts.
class Occupied {
 public:
  void Add(const DeviceOperation& op) {
    if (op.start <= until_ + kMostGap && any_) {
      sum_ += std::max(op.end(), until_) - until_;
    } else {
      sum_ += op.length;
    }
    until_ = any_ ? std::max(until_, op.end()) : op.end();
    any_ = true;
  }
  bool any() const { return any_; }
  Duration sum() const { return sum_; }

 private:
  bool any_ = false;
  Duration until_, sum_;
};

// One occurrence of an annotation.
struct Occurrence {
  Occupied rows, rest;      // what moves rows, and all else
  int64_t row_blocks = 0;   // most blocks of a kernel that moves rows
  int64_t gemm_blocks = 0;  // and of a GEMM that fits the device
};

struct PhaseName {
  Kind work;
  std::optional<Kind> notify;  // of a message
};

std::optional<PhaseName> KindOfPhase(const std::string& name) {
  const std::string stem = name.substr(0, name.find('('));
  if (stem == "attn" || stem == "attention") return PhaseName{Kind::kAttentionPhase, {}};
  if (stem == "mlp") return PhaseName{Kind::kMlpPhase, {}};
  if (stem == "dispatch") return PhaseName{Kind::kDispatch, Kind::kNotifyDispatch};
  if (stem == "combine") return PhaseName{Kind::kCombine, Kind::kNotifyCombine};
  return std::nullopt;
}

Pass PassOf(timeline::Part part) {
  switch (part) {
    case timeline::Part::kForward:
      return Pass::kForward;
    case timeline::Part::kInputGrad:
      return Pass::kInputGrad;
    case timeline::Part::kWeightGrad:
      return Pass::kWeightGrad;
    default:
      return Pass::kNone;
  }
}

bool IsGemm(OperationClass c) {
  return c == OperationClass::kGroupedGemm || c == OperationClass::kWeightGradGemm ||
         c == OperationClass::kFp8Gemm || c == OperationClass::kGemm;
}

int64_t BlocksOf(const DeviceOperation& op) { return op.grid[0] * op.grid[1] * op.grid[2]; }

std::map<int32_t, Occurrence> Occurrences(const Trace& trace, const TracedTimeline& t) {
  std::map<int32_t, Occurrence> occurrences;
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const DeviceOperation& op = trace.operations[i];
    if (t.phases[i] < 0) continue;
    Occurrence& o = occurrences[t.phases[i]];
    const int64_t blocks = BlocksOf(op);
    if (t.classes[i] == OperationClass::kDispatch || t.classes[i] == OperationClass::kCombine) {
      o.rows.Add(op);
      o.row_blocks = std::max(o.row_blocks, blocks);
      continue;
    }
    o.rest.Add(op);
    if (IsGemm(t.classes[i]) && blocks <= trace.sms)
      o.gemm_blocks = std::max(o.gemm_blocks, blocks);
  }
  return occurrences;
}

// Collects times under the operation they are of.
class Collector {
 public:
  explicit Collector(std::string source) : source_(std::move(source)) {}

  void Add(Kind kind, Pass pass, const measured::Layer& what, int64_t sms, std::string name,
           Duration time) {
    measured::Operation op;
    op.kind = kind;
    op.pass = pass;
    op.shape = what.shape;
    op.format = what.format;
    op.sms = static_cast<int>(sms);
    op.name = std::move(name);
    op.source = source_;
    Entry& entry = entries_.try_emplace(op.Key(), Entry{op, {}}).first->second;
    entry.each.push_back(time);
  }

  // By kind, pass and shape.
  std::vector<measured::Operation> Take() {
    std::vector<measured::Operation> operations;
    for (auto& [key, entry] : entries_) {
      entry.operation.times = measured::TimesOf(entry.each);
      operations.push_back(std::move(entry.operation));
    }
    return operations;
  }

 private:
  struct Entry {
    measured::Operation operation;
    std::vector<Duration> each;
  };
  std::string source_;
  std::map<decltype(measured::Operation().Key()), Entry> entries_;
};

void AddPhases(const Trace& trace, const TracedTimeline& t, const measured::Layer& layer,
               Collector& into) {
  const std::map<int32_t, Occurrence> occurrences = Occurrences(trace, t);
  int64_t left = 0;  // of the device's SMs, to GEMMs
  for (const auto& [phase, o] : occurrences) left = std::max(left, o.gemm_blocks);
  if (left == 0) left = trace.sms;
  for (const auto& [phase, o] : occurrences) {
    const std::string& name =
        trace.names[static_cast<size_t>(trace.annotations[static_cast<size_t>(phase)].name)];
    const auto kind = KindOfPhase(name);
    const Pass pass = PassOf(PartOf(name));
    if (!kind || pass == Pass::kNone) continue;
    if (!kind->notify) {
      if (o.rest.any()) into.Add(kind->work, pass, layer, left, name, o.rest.sum());
      continue;
    }
    if (o.rows.any()) into.Add(kind->work, pass, layer, o.row_blocks, name, o.rows.sum());
    if (o.rest.any()) into.Add(*kind->notify, pass, layer, o.row_blocks, name, o.rest.sum());
  }
}

void AddGemms(const Trace& trace, Collector& into) {
  for (const GemmCall& call : GemmCalls(trace)) {
    const measured::Shape shape = {
        {"groups", call.groups}, {"m", call.m}, {"n", call.n}, {"k", call.k}};
    into.Add(Kind::kGemm, call.pass, {shape, call.format}, trace.sms, "", call.time);
  }
}

void AddOperations(const Trace& trace, const TracedTimeline& t, Collector& into) {
  for (size_t i = 0; i < trace.operations.size(); ++i) {
    const DeviceOperation& op = trace.operations[i];
    const int64_t blocks = BlocksOf(op);
    if (blocks == 0) continue;  // a copy or a fill
    const int64_t sms = trace.sms > 0 ? std::min<int64_t>(blocks, trace.sms) : 0;
    into.Add(Kind::kOther, Pass::kNone, {{{"blocks", blocks}}, measured::Format::kUnknown}, sms,
             Name(t.classes[i]), op.length);
  }
}

}  // namespace

measured::Profile ImportProfile(const Trace& trace, const TracedTimeline& t,
                                const std::optional<measured::Layer>& layer) {
  measured::Profile profile;
  profile.device = trace.device_name;
  profile.sms = trace.sms;
  if (trace.rank >= 0) profile.machine["rank"] = std::to_string(trace.rank);
  if (trace.world_size > 0) profile.machine["world_size"] = std::to_string(trace.world_size);
  Collector collector(std::filesystem::path(trace.file).filename().string());
  if (layer) AddPhases(trace, t, *layer, collector);
  AddGemms(trace, collector);
  AddOperations(trace, t, collector);
  profile.operations = collector.Take();
  return profile;
}

}  // namespace pipescope::trace
