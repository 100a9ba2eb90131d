#include "reports/kernel_predictions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using costs::Prediction;
using Json = nlohmann::ordered_json;

constexpr double kUndisturbed = 0.05;  // as validate has it

struct Kind {
  int rows = 0;
  double sum = 0;                     // of errors' magnitudes
  const Prediction* worst = nullptr;  // of those predicted

  double mean() const { return sum / rows; }
};

void Sort(std::vector<Prediction>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const Prediction& a, const Prediction& b) {
    const auto key = [](const measured::Operation& op) {
      return std::tie(op.name, op.kind, op.pass, op.format, op.shape, op.sms);
    };
    return key(a.operation) < key(b.operation);
  });
}

std::map<std::string, Kind> KindsOf(const std::vector<Prediction>& rows) {
  std::map<std::string, Kind> kinds;
  for (const Prediction& row : rows) {
    if (!row.predicted) continue;
    Kind& kind = kinds[GroupOf(row.operation)];
    ++kind.rows;
    kind.sum += std::abs(row.error());
    if (kind.worst == nullptr || std::abs(row.error()) > std::abs(kind.worst->error())) {
      kind.worst = &row;
    }
  }
  return kinds;
}

std::vector<const Prediction*> OutliersOf(const std::vector<Prediction>& rows) {
  std::vector<const Prediction*> outliers;
  for (const Prediction& row : rows) {
    if (row.predicted && std::abs(row.error()) - row.noise() > kHeldTo) outliers.push_back(&row);
  }
  std::stable_sort(outliers.begin(), outliers.end(), [](const auto* a, const auto* b) {
    return std::abs(a->error()) > std::abs(b->error());
  });
  return outliers;
}

std::string ShapeOf(const measured::Operation& op) {
  if (!op.source.empty()) return op.source;
  std::string text;
  for (const auto& [name, size] : op.shape) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, size);
  }
  return text;
}

std::string NameOf(const measured::Operation& op) {
  return op.name.empty() ? Name(op.kind) : op.name;
}

std::string NoiseOf(const Prediction& row) {
  return row.operation.times.count > 1 ? FormatPercent(row.noise()) : "-";
}

std::string SmsOf(const measured::Operation& op) {
  return op.sms > 0 ? fmt::to_string(op.sms) : "-";
}

std::string Line(const Prediction& row) {
  const measured::Operation& op = row.operation;
  const std::string predicted = row.predicted ? Format(row.predicted->time) : "-";
  const std::string error = row.predicted ? fmt::format("{:+.1f} %", 100 * row.error()) : "unknown";
  return fmt::format("{:<30} {:>4} {:>10} {:>10} {:>9} {:>8}  {}\n", NameOf(op), SmsOf(op),
                     predicted, Format(op.times.mean), error, NoiseOf(row), ShapeOf(op));
}

Json RowJson(const Prediction& row) {
  const measured::Operation& op = row.operation;
  Json json = {{"kernel", NameOf(op)},
               {"kind", GroupOf(op)},
               {"shape", op.shape},
               {"sms", op.sms},
               {"held_out", op.source}};
  if (row.predicted) {
    json["predicted_s"] = row.predicted->time.seconds();
    json["origin"] = costs::NameOf(row.predicted->origin);
    json["spread"] = row.predicted->spread;
  }
  json["measured_s"] = op.times.mean.seconds();
  json["runs"] = op.times.count;
  if (row.predicted) json["error"] = row.error();
  json["noise"] = row.noise();
  return json;
}

}  // namespace

std::string GroupOf(const measured::Operation& op) {
  if (op.kind == measured::Kind::kOther) {
    const bool beside = op.name.find(" beside ") != std::string::npos;
    return beside ? "communication beside kernels" : "communication";
  }
  if (op.name.ends_with(" beside communication")) return "kernels beside communication";
  if (op.name.starts_with("fp8_quantize")) return "quantise";
  std::string group = Name(op.kind);
  const bool formats = op.kind == measured::Kind::kGemm || op.kind == measured::Kind::kAttention;
  if (formats) group += fmt::format(" {} {}", Name(op.format), Name(op.pass));
  return group;
}

std::string KernelPredictionsText(KernelPredictions p) {
  Sort(p.rows);
  std::string text =
      fmt::format("{} ({})\n{:<30} {:>4} {:>10} {:>10} {:>9} {:>8}  {}\n", p.machine, p.rates,
                  "kernel", "SMs", "predicted", "measured", "error", "noise", "held out");
  for (const Prediction& row : p.rows) text += Line(row);
  text +=
      fmt::format("\n{:<30} {:>5} {:>12} {:>9}  {}\n", "kind", "rows", "mean error", "worst", "of");
  for (const auto& [name, kind] : KindsOf(p.rows)) {
    text +=
        fmt::format("{:<30} {:>5} {:>12} {:>8}  {}: {}\n", name, kind.rows,
                    FormatPercent(kind.mean()), fmt::format("{:+.1f} %", 100 * kind.worst->error()),
                    NameOf(kind.worst->operation), ShapeOf(kind.worst->operation));
  }
  const auto outliers = OutliersOf(p.rows);
  text += fmt::format("\n{} of {} are off by more than {} and the noise of their runs{}\n",
                      outliers.size(), p.rows.size(), FormatPercent(kHeldTo, 0),
                      outliers.empty() ? "." : ":");
  for (const Prediction* row : outliers) {
    text += fmt::format("  {:+.1f} %  {}: {}\n", 100 * row->error(), NameOf(row->operation),
                        ShapeOf(row->operation));
  }
  if (p.others > kUndisturbed) {
    text += fmt::format(
        "Others used up to {} of the processors meanwhile, so that these times say little.\n",
        FormatPercent(p.others));
  }
  for (const std::string& failure : p.failures) text += "FAILED: " + failure + "\n";
  return text;
}

std::string KernelPredictionsJson(KernelPredictions p) {
  Sort(p.rows);
  Json json = {{"machine", p.machine}, {"rates", p.rates}, {"held_to", kHeldTo}};
  json["rows"] = Json::array();
  for (const Prediction& row : p.rows) json["rows"].push_back(RowJson(row));
  json["kinds"] = Json::array();
  for (const auto& [name, kind] : KindsOf(p.rows)) {
    json["kinds"].push_back({{"kind", name},
                             {"rows", kind.rows},
                             {"mean_error", kind.mean()},
                             {"worst_error", kind.worst->error()},
                             {"worst", NameOf(kind.worst->operation)}});
  }
  json["outliers"] = Json::array();
  for (const Prediction* row : OutliersOf(p.rows)) {
    json["outliers"].push_back({{"kernel", NameOf(row->operation)},
                                {"held_out", row->operation.source},
                                {"error", row->error()}});
  }
  json["others"] = p.others;
  json["failures"] = p.failures;
  return json.dump(2) + "\n";
}

}  // namespace pipescope::reports
