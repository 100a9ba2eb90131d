#include "kernels/bench/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/bench/coverage.h"
#include "kernels/timing.h"
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

Result<BenchReport> StartBench(const Request& request, const Progress& progress) {
  if (request.interference && request.device == Device::kCpu) {
    return Fail("--interference: expected --device cuda");
  }
  auto machine = Open(request);
  if (!machine) return Fail(machine.error());
  if (request.device == Device::kCpu) KeepMemory();
  progress("peaks");
  const auto peaks = MeasurePeaks(request.device);
  if (!peaks) return Fail(peaks.error());
  return BenchReport{*machine, *peaks, {}, {}, {}};
}

void TimeShape(const Op& op, const HeldOut& at, const Request& request, const Progress& progress,
               BenchReport& report) {
  const std::string what = op.name + " (" + TextOf(at.shape) + ")";
  progress("bench " + what);
  const auto trial = op.trial(at.shape, request.sms);
  const auto timed = trial ? TimeTrial(*trial) : Fail(trial.error());
  if (timed) {
    report.rows.push_back({op, at.shape, *timed, at.how});
  } else {
    report.failures.push_back(what + ": " + timed.error().ToString());
  }
}

void TimeBeside(const Op& op, const HeldOut& at, const std::vector<int>& sms,
                const Progress& progress, BenchReport& report) {
  const Bytes bytes = op.bytes ? op.bytes(at.shape) : Bytes(0);
  progress("interference " + op.name + " (" + TextOf(at.shape) + ")");
  for (const int count : sms) {
    const auto prepare = [&](int free) { return op.prepare(at.shape, free); };
    const auto times = cuda::MeasureInterference(prepare, count);
    if (!times) {
      report.failures.push_back(fmt::format("{} ({}) beside communication on {} SMs: {}", op.name,
                                            TextOf(at.shape), count, times.error().ToString()));
      return;
    }
    report.interference.push_back({op, at.shape, bytes, *times, at.how});
  }
}

const HeldOut* HeldOutBeside(const Op& op, const std::vector<HeldOut>& held,
                             const Request& request) {
  if (!request.interference || !op.prepare) return nullptr;
  const HeldOut* last = nullptr;
  for (const HeldOut& at : held) {
    if (at.how.starts_with("between")) last = &at;
  }
  return last;
}

Result<BenchReport> RunBench(const Request& request, const Progress& progress) {
  auto report = StartBench(request, progress);
  if (!report) return report;
  for (const Op& op : report->machine.ops) {
    for (const Shape& shape : request.calibrate ? CalibratedShapes(op) : op.shapes) {
      TimeShape(op, {shape, ""}, request, progress, *report);
    }
  }
  for (const Op& op : report->machine.ops) {
    if (!request.interference || !op.prepare || op.shapes.empty()) continue;
    TimeBeside(op, {op.shapes.front(), ""}, CalibratedSms(), progress, *report);
  }
  return report;
}

Result<BenchReport> RunHeldOut(const Request& request, const Progress& progress) {
  auto report = StartBench(request, progress);
  if (!report) return report;
  for (const Op& op : report->machine.ops) {
    const std::vector<HeldOut> held = HeldOutShapes(op, request.seed);
    for (const HeldOut& at : held) TimeShape(op, at, request, progress, *report);
    const HeldOut* beside = HeldOutBeside(op, held, request);
    if (beside == nullptr) continue;
    TimeBeside(op, *beside, HeldOutSms(request.seed), progress, *report);
  }
  return report;
}

}  // namespace pipescope::kernels::bench
