#include "kernels/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/bench/cpu_timer.h"
#include "sim/base/json_text.h"
#include "sim/base/quantity.h"

namespace pipescope::kernels::bench {
namespace {

std::string ShapeJson(const Shape& shape) {
  std::string text;
  for (const auto& [name, value] : shape) {
    text += fmt::format("{}\"{}\": {}", text.empty() ? "{" : ", ", name, value);
  }
  return text.empty() ? "{}" : text + "}";
}

// Whether a step would better use the baseline.
bool BaselineWins(const BenchRow& row) {
  return row.op.baseline_serves && !row.timed.baseline_each.empty() &&
         Median(row.timed.baseline_each) < Median(row.timed.each);
}

std::string RowJson(const BenchRow& row, const Peaks& peaks) {
  const Duration time = Median(row.timed.each);
  const OfPeak of = OfPeakOf(row.timed, peaks);
  std::string text = fmt::format(
      "{{\"kernel\": {}, \"backend\": {}, \"shape\": {}, \"sms\": {}, \"runs\": {}, \"time_s\": {}",
      JsonQuoted(row.op.name), JsonQuoted(row.op.backend), ShapeJson(row.shape), row.timed.sms,
      row.timed.each.size(), time.seconds());
  if (row.timed.flops.value() > 0) {
    text += fmt::format(", \"tflops\": {:.4f}", (row.timed.flops / time).value() * 1e-12);
  }
  text += fmt::format(", \"gigabytes_per_second\": {:.3f}, \"of_peak\": {:.4f}, \"bound\": \"{}\"",
                      (row.timed.bytes / time).value() * 1e-9, of.share, of.bound);
  if (!row.timed.baseline_each.empty()) {
    text += fmt::format(", \"baseline\": {}, \"baseline_time_s\": {}", JsonQuoted(row.op.baseline),
                        Median(row.timed.baseline_each).seconds());
  }
  if (row.op.baseline_serves) {
    text += fmt::format(", \"chosen\": {}",
                        JsonQuoted(BaselineWins(row) ? row.op.baseline : row.op.backend));
  }
  if (!row.timed.note.empty()) text += fmt::format(", \"note\": {}", JsonQuoted(row.timed.note));
  return text + "}";
}

std::string InterferenceJson(const InterferenceRow& row) {
  const cuda::Interference& t = row.times;
  return fmt::format(
      "{{\"kernel\": {}, \"shape\": {}, \"communication_sms\": {}, \"sms\": {}, \"alone_s\": {}, "
      "\"beside_s\": {}, \"slowdown\": {:.4f}, \"communication_alone_s\": {}, "
      "\"communication_beside_s\": {}, \"communication_slowdown\": {:.4f}}}",
      JsonQuoted(row.op.name), ShapeJson(row.shape), t.communication_sms, t.free_sms,
      t.alone.seconds(), t.beside.seconds(), row.slowdown(), t.communication_alone.seconds(),
      t.communication_beside.seconds(), row.communication_slowdown());
}

measured::Operation OperationOf(const Op& op, const Shape& shape, Bytes bytes, int sms,
                                const std::string& source) {
  measured::Operation is;
  is.kind = op.kind;
  is.pass = op.pass;
  is.format = op.format;
  is.sms = sms;
  is.name = op.name;
  is.source = source;
  if (op.told) {
    is.shape = op.told(shape).shape;
    return is;
  }
  for (const std::string_view name : measured::Dimensions(op.kind)) {
    const std::string key(name);
    is.shape[key] = key == "bytes"    ? bytes.value()
                    : key == "blocks" ? std::max(1, sms)
                                      : At(shape, key);
  }
  return is;
}

// The kernel on the SMs that are free, communication alone, and communication beside the kernel.
std::vector<measured::Operation> Beside(const Op& op, const Shape& shape, Bytes bytes, int free,
                                        int communication_sms, const std::string& source) {
  auto beside = OperationOf(op, shape, bytes, free, source);
  beside.name += " beside communication";
  measured::Operation other;
  other.kind = measured::Kind::kOther;
  other.sms = communication_sms;
  other.shape["blocks"] = communication_sms;
  other.source = source;
  other.name = "communication of 1 GB";
  measured::Operation both = other;
  both.name = fmt::format("communication of 1 GB beside {} ({})", op.name, TextOf(shape));
  return {beside, other, both};
}

std::string SourceOf(const std::string& how, const Shape& shape, const std::string& source) {
  return how.empty() ? source : how + ": " + TextOf(shape);
}

// Three standard deviations of a normal distribution whose median distance from the median is 1.
constexpr double kFar = 3 * 1.4826;

std::vector<Duration> Undisturbed(const std::vector<Duration>& each) {
  const Duration median = Median(each);
  const auto distance = [&](Duration d) { return d > median ? d - median : median - d; };
  std::vector<Duration> distances, kept;
  for (const Duration d : each) distances.push_back(distance(d));
  const double most = kFar * Median(distances).seconds();
  for (const Duration d : each) {
    if (distance(d).seconds() <= most) kept.push_back(d);
  }
  return kept.empty() ? std::vector<Duration>{median} : kept;
}

// Operations of the same key come together with all their times. What was timed in rounds takes
// the median of these.
class Collected {
 public:
  void Add(const measured::Operation& op, const std::vector<Duration>& each,
           const std::vector<Duration>& rounds = {}) {
    const auto [place, fresh] = places_.try_emplace(op.Key(), operations_.size());
    if (fresh) {
      operations_.push_back(op);
      times_.emplace_back();
      rounds_.emplace_back();
    } else if (operations_[place->second].name.find(op.name) == std::string::npos) {
      operations_[place->second].name += ", " + op.name;
    }
    auto& all = times_[place->second];
    all.insert(all.end(), each.begin(), each.end());
    auto& medians = rounds_[place->second];
    medians.insert(medians.end(), rounds.begin(), rounds.end());
  }
  std::vector<measured::Operation> Take() {
    for (size_t i = 0; i < times_.size(); ++i) {
      operations_[i].times = measured::TimesOf(times_[i]);
      if (!rounds_[i].empty()) operations_[i].times.mean = Median(rounds_[i]);
    }
    return std::move(operations_);
  }

 private:
  std::map<decltype(measured::Operation().Key()), size_t> places_;
  std::vector<measured::Operation> operations_;
  std::vector<std::vector<Duration>> times_, rounds_;
};

void AddInterference(const InterferenceRow& row, const std::string& source, Collected& all) {
  const cuda::Interference& t = row.times;
  if (t.communication_sms == 0) return;  // nothing beside it
  const auto told = Beside(row.op, row.shape, row.bytes, t.free_sms, t.communication_sms,
                           SourceOf(row.how, row.shape, source));
  all.Add(told[0], {t.beside});
  all.Add(told[1], {t.communication_alone});
  all.Add(told[2], {t.communication_beside});
}

}  // namespace

double InterferenceRow::communication_slowdown() const {
  const bool communicates = times.communication_sms > 0 && times.communication_alone > Duration();
  return communicates ? times.communication_beside / times.communication_alone : 1;
}

OfPeak OfPeakOf(const Timed& timed, const Peaks& peaks) {
  const Duration time = Median(timed.each);
  const double copy = (timed.bytes / time).value() / peaks.copy.value();
  const double matrix = (timed.flops / time).value() / peaks.matrix.value();
  return matrix > copy ? OfPeak{matrix, "matrix"} : OfPeak{copy, "copy"};
}

std::string BenchText(const BenchReport& report) {
  std::string text = fmt::format("{}: copy {:.1f} GB/s, matrix {:.3f} TFLOPS ({})\n",
                                 report.machine.name, report.peaks.copy.value() * 1e-9,
                                 report.peaks.matrix.value() * 1e-12, report.peaks.text);
  text += fmt::format("{:<36} {:<60} {:>11} {:>9} {:>9} {:>8} {:>10}\n", "kernel", "shape", "time",
                      "TFLOPS", "GB/s", "of peak", "baseline");
  for (const BenchRow& row : report.rows) {
    const Duration time = Median(row.timed.each);
    const double tflops = (row.timed.flops / time).value() * 1e-12;
    const std::string beside =
        row.timed.baseline_each.empty()
            ? std::string("-")
            : fmt::format("{:.2f} x", Median(row.timed.baseline_each) / time);
    text += fmt::format("{:<36} {:<60} {:>8.1f} us {:>9.2f} {:>9.1f} {:>6.1f} % {:>10}\n",
                        row.op.name, TextOf(row.shape), time.microseconds(), tflops,
                        (row.timed.bytes / time).value() * 1e-9,
                        100 * OfPeakOf(row.timed, report.peaks).share, beside);
  }
  text += "baseline: its time over the kernel's; above 1 the kernel is faster\n";
  for (const InterferenceRow& row : report.interference) {
    text +=
        fmt::format("{} ({}) beside communication on {} SMs: {:.3f} x; communication {:.3f} x\n",
                    row.op.name, TextOf(row.shape), row.times.communication_sms, row.slowdown(),
                    row.communication_slowdown());
  }
  for (const std::string& failure : report.failures) text += "FAILED: " + failure + "\n";
  return text;
}

std::string BenchJson(const BenchReport& report) {
  std::string text = fmt::format("{{\"device\": \"{}\", \"machine\": {{\"name\": {}, \"sms\": {}",
                                 NameOf(report.machine.device), JsonQuoted(report.machine.name),
                                 report.machine.sms);
  for (const auto& [name, value] : report.machine.facts) {
    text += fmt::format(", {}: {}", JsonQuoted(name), JsonQuoted(value));
  }
  text += fmt::format(
      "}},\n\"peaks\": {{\"copy_gigabytes_per_second\": {:.3f}, \"matrix_tflops\": {:.4f}, "
      "\"how\": {}}},\n\"results\": [",
      report.peaks.copy.value() * 1e-9, report.peaks.matrix.value() * 1e-12,
      JsonQuoted(report.peaks.text));
  const char* before = "\n";
  for (const BenchRow& row : report.rows) {
    text += before + RowJson(row, report.peaks);
    before = ",\n";
  }
  text += "\n]";
  before = ",\n\"interference\": [\n";
  for (const InterferenceRow& row : report.interference) {
    text += before + InterferenceJson(row);
    before = ",\n";
  }
  if (!report.interference.empty()) text += "\n]";
  text += ",\n\"failures\": [";
  before = "";
  for (const std::string& failure : report.failures) {
    text += before + JsonQuoted(failure);
    before = ", ";
  }
  return text + "]}\n";
}

measured::Profile ProfileOf(const BenchReport& report, const std::string& source) {
  measured::Profile profile = {report.machine.name, report.machine.sms, report.machine.facts, {}};
  profile.machine["peaks"] = report.peaks.text;
  profile.machine["copy rate"] = Format(report.peaks.copy);
  profile.machine["matrix rate"] = Format(report.peaks.matrix);
  std::string missing;
  for (const std::string& failure : report.failures) {
    missing += (missing.empty() ? "" : "; ") + failure;
  }
  if (!missing.empty()) profile.machine["not measured"] = missing;
  Collected all;
  for (const BenchRow& row : report.rows) {
    const Timed& timed = row.timed;
    const bool baseline = BaselineWins(row);
    all.Add(OperationOf(row.op, row.shape, timed.bytes, timed.sms,
                        SourceOf(row.how, row.shape, source)),
            Undisturbed(baseline ? timed.baseline_each : timed.each),
            baseline ? timed.baseline_rounds : timed.rounds);
  }
  for (const InterferenceRow& row : report.interference) AddInterference(row, source, all);
  profile.operations = all.Take();
  return profile;
}

measured::Operation OperationOf(const Op& op, const Shape& shape, int sms) {
  const int used = op.told ? op.told(shape).sms : sms;
  return OperationOf(op, shape, op.bytes ? op.bytes(shape) : Bytes(0), used, "");
}

std::vector<measured::Operation> OperationsBeside(const Op& op, const Shape& shape, int sms,
                                                  int communication_sms) {
  return Beside(op, shape, op.bytes ? op.bytes(shape) : Bytes(0), sms - communication_sms,
                communication_sms, "");
}

}  // namespace pipescope::kernels::bench
