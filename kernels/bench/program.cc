#include "kernels/bench/program.h"

#include <fmt/format.h>

#include "kernels/cuda/interference.h"
#include "sim/base/json_text.h"
#include "sim/base/names.h"

namespace pipescope::kernels::bench {
namespace {

Result<Machine> Open(const Request& request) {
  auto machine = OpenMachine(request.device);
  if (!machine) return machine;
  std::vector<std::string> known;
  for (const Op& op : machine->ops) known.push_back(op.name);
  std::erase_if(machine->ops,
                [&](const Op& op) { return op.name.find(request.kernel) == std::string::npos; });
  if (machine->ops.empty()) {
    return Fail(fmt::format("--kernel: '{}' is not a part of any kernel's name{}", request.kernel,
                            Suggestion(request.kernel, known)));
  }
  return machine;
}

std::string CheckLine(const Op& op, const Checked& c) {
  return fmt::format("{:<36} {:<22} {:>4} cases, difference {:.2e} of {:.0e}: {}\n", op.name,
                     op.backend, c.cases, c.difference, c.limit,
                     c.well() ? "well" : "WRONG: " + c.failure);
}

std::string CheckEntry(const Op& op, const Checked& c) {
  return fmt::format(
      "{{\"kernel\": {}, \"backend\": {}, \"truth\": {}, \"cases\": {}, \"difference\": {:.3e}, "
      "\"limit\": {:.3e}, \"well\": {}, \"failure\": {}}}",
      JsonQuoted(op.name), JsonQuoted(op.backend), JsonQuoted(op.truth), c.cases, c.difference,
      c.limit, c.well() ? "true" : "false", JsonQuoted(c.failure));
}

InterferenceRow RowOf(const cuda::Interference& i) {
  const bool gemm = i.k > 0;
  Shape shape = {{gemm ? "m" : "rows", i.m}, {gemm ? "n" : "columns", i.n}};
  if (gemm) shape.emplace_back("k", i.k);
  return {i.kernel,
          shape,
          i.communication_sms,
          i.alone,
          i.beside,
          i.communication_alone,
          i.communication_beside};
}

}  // namespace

std::string ListText() {
  std::string text = fmt::format("{:<36} {:<6} {:<22} {:<36} {}\n", "kernel", "device", "backend",
                                 "checked against", "timed beside");
  for (const Op& op : AllOps()) {
    text += fmt::format("{:<36} {:<6} {:<22} {:<36} {}\n", op.name, NameOf(op.device), op.backend,
                        op.truth, op.baseline.empty() ? "-" : op.baseline);
  }
  return text;
}

std::string ListJson() {
  std::string text = "[";
  const char* before = "\n";
  for (const Op& op : AllOps()) {
    text += before + fmt::format(
                         "{{\"kernel\": {}, \"device\": \"{}\", \"backend\": {}, "
                         "\"truth\": {}, \"baseline\": {}, \"shapes\": {}}}",
                         JsonQuoted(op.name), NameOf(op.device), JsonQuoted(op.backend),
                         JsonQuoted(op.truth), JsonQuoted(op.baseline), op.shapes.size());
    before = ",\n";
  }
  return text + "\n]\n";
}

Result<CheckReport> RunChecks(const Request& request, const Progress& progress) {
  const auto machine = Open(request);
  if (!machine) return Fail(machine.error());
  CheckReport report = {
      .text = machine->name + "\n",
      .json = fmt::format("{{\"device\": \"{}\", \"machine\": {}, \"seed\": {}, \"results\": [",
                          NameOf(request.device), JsonQuoted(machine->name), request.seed)};
  const char* before = "\n";
  for (const Op& op : machine->ops) {
    progress("check " + op.name);
    // A library that is not there is not a wrong result, but not a check that went well either.
    auto checked = op.check(request.seed);
    if (!checked) checked = Checked{.failure = checked.error().ToString()};
    report.well &= checked->well();
    report.text += CheckLine(op, *checked);
    report.json += before + CheckEntry(op, *checked);
    before = ",\n";
  }
  report.json += "\n]}\n";
  return report;
}

Result<BenchReport> RunBench(const Request& request, const Progress& progress) {
  if (request.interference && request.device == Device::kCpu) {
    return Fail("--interference: expected --device cuda");
  }
  auto machine = Open(request);
  if (!machine) return Fail(machine.error());
  progress("peaks");
  const auto peaks = MeasurePeaks(request.device);
  if (!peaks) return Fail(peaks.error());
  BenchReport report = {*machine, *peaks, {}, {}, {}};
  for (const Op& op : machine->ops) {
    for (const Shape& shape : op.shapes) {
      progress("bench " + op.name + " (" + TextOf(shape) + ")");
      auto timed = op.bench(shape, request.sms);
      if (timed) {
        report.rows.push_back({op, shape, *timed});
      } else {
        report.failures.push_back(op.name + " (" + TextOf(shape) +
                                  "): " + timed.error().ToString());
      }
    }
  }
  if (!request.interference) return report;
  progress("interference");
  const auto rows = cuda::MeasureInterference({0, 2, 4, 8, 12, 16, 20, 24, 28, 32});
  if (!rows) return Fail(rows.error());
  for (const cuda::Interference& row : *rows) report.interference.push_back(RowOf(row));
  return report;
}

}  // namespace pipescope::kernels::bench
