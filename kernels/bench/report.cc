#include "kernels/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "kernels/bench/cpu_timer.h"
#include "sim/base/json_text.h"

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
  return fmt::format(
      "{{\"kernel\": {}, \"shape\": {}, \"communication_sms\": {}, \"alone_s\": {}, "
      "\"beside_s\": {}, \"slowdown\": {:.4f}, \"communication_alone_s\": {}, "
      "\"communication_beside_s\": {}, \"communication_slowdown\": {:.4f}}}",
      JsonQuoted(row.kernel), ShapeJson(row.shape), row.communication_sms, row.alone.seconds(),
      row.beside.seconds(), row.beside / row.alone, row.communication_alone.seconds(),
      row.communication_beside.seconds(),
      row.communication_sms == 0 ? 1.0 : row.communication_beside / row.communication_alone);
}

measured::Operation OperationOf(const BenchRow& row, const std::string& source) {
  measured::Operation op;
  op.kind = row.op.kind;
  op.pass = row.op.pass;
  op.format = row.op.format;
  op.sms = row.timed.sms;
  op.name = row.op.name;
  op.source = source;
  for (const std::string_view name : measured::Dimensions(op.kind)) {
    const std::string key(name);
    op.shape[key] = key == "bytes"    ? row.timed.bytes.value()
                    : key == "blocks" ? std::max(1, row.timed.sms)
                                      : At(row.shape, key);
  }
  return op;
}

}  // namespace

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
    text += fmt::format(
        "{} ({}) beside communication on {} SMs: {:.3f} x; communication {:.3f} x\n", row.kernel,
        TextOf(row.shape), row.communication_sms, row.beside / row.alone,
        row.communication_sms == 0 ? 1.0 : row.communication_beside / row.communication_alone);
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
  std::map<decltype(measured::Operation().Key()), size_t> places;
  std::vector<std::vector<Duration>> times;
  for (const BenchRow& row : report.rows) {
    const measured::Operation op = OperationOf(row, source);
    const auto [place, fresh] = places.try_emplace(op.Key(), times.size());
    if (fresh) {
      profile.operations.push_back(op);
      times.emplace_back();
    } else if (profile.operations[place->second].name.find(op.name) == std::string::npos) {
      profile.operations[place->second].name += ", " + op.name;
    }
    auto& each = times[place->second];
    const auto& faster = BaselineWins(row) ? row.timed.baseline_each : row.timed.each;
    each.insert(each.end(), faster.begin(), faster.end());
  }
  for (size_t i = 0; i < times.size(); ++i) {
    profile.operations[i].times = measured::TimesOf(times[i]);
  }
  return profile;
}

}  // namespace pipescope::kernels::bench
