#include "kernels/bench/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/bench/coverage.h"
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

constexpr int kCommunicationSms[] = {0, 2, 4, 8, 12, 16, 20, 24, 28, 32};

// Of each kernel at its first shape. One that fails is told, and does not stop the others.
void MeasureBeside(const Progress& progress, BenchReport& report) {
  for (const Op& op : report.machine.ops) {
    if (!op.prepare || op.shapes.empty()) continue;
    const Shape& shape = op.shapes.front();
    const auto row = std::find_if(report.rows.begin(), report.rows.end(), [&](const BenchRow& r) {
      return r.op.name == op.name && r.shape == shape;
    });
    if (row == report.rows.end()) continue;  // it failed alone
    progress("interference " + op.name + " (" + TextOf(shape) + ")");
    for (const int sms : kCommunicationSms) {
      const auto prepare = [&](int free) { return op.prepare(shape, free); };
      const auto times = cuda::MeasureInterference(prepare, sms);
      if (times) {
        report.interference.push_back({op, shape, row->timed.bytes, *times});
      } else {
        report.failures.push_back(fmt::format("{} ({}) beside communication on {} SMs: {}", op.name,
                                              TextOf(shape), sms, times.error().ToString()));
        break;
      }
    }
  }
}

}  // namespace

std::string ListText() {
  const std::vector<Op> ops = AllOps();
  std::string text = CoverageText(CoverageOf(ops));
  text += fmt::format("\n{:<36} {:<6} {:<22} {:<36} {}\n", "kernel", "device", "backend",
                      "checked against", "timed beside");
  for (const Op& op : ops) {
    text += fmt::format("{:<36} {:<6} {:<22} {:<36} {}\n", op.name, NameOf(op.device), op.backend,
                        op.truth, op.baseline.empty() ? "-" : op.baseline);
  }
  return text;
}

std::string ListJson() {
  const std::vector<Op> ops = AllOps();
  std::string text = "{\"operations\": " + CoverageJson(CoverageOf(ops)) + ",\n\"kernels\": [";
  const char* before = "\n";
  for (const Op& op : ops) {
    text += before + fmt::format(
                         "{{\"kernel\": {}, \"device\": \"{}\", \"backend\": {}, "
                         "\"truth\": {}, \"baseline\": {}, \"shapes\": {}}}",
                         JsonQuoted(op.name), NameOf(op.device), JsonQuoted(op.backend),
                         JsonQuoted(op.truth), JsonQuoted(op.baseline), op.shapes.size());
    before = ",\n";
  }
  return text + "\n]}\n";
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
  MeasureBeside(progress, report);
  return report;
}

}  // namespace pipescope::kernels::bench
