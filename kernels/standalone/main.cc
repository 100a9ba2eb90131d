// The kernels' own binary: list, check, bench, calibrate, held-out, exchange and pipeline on a
// machine that has a driver and libc, and nothing else of ours. See build.sh; pipescope has the
// same verbs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/bench/program.h"
#include "kernels/exchange/nodes.h"
#include "kernels/standalone/pipeline.h"
#include "sim/base/file.h"
#include "sim/measured/profile_file.h"

namespace pipescope::kernels {
namespace {

constexpr const char* kUsage =
    "kernels list  [--json FILE]\n"
    "kernels check [--device cpu|cuda] [--kernel NAME] [--seed N] [--json FILE]\n"
    "kernels bench [--device cpu|cuda] [--kernel NAME] [--sms N] [--interference] [--json FILE]\n"
    "kernels calibrate [--device cpu|cuda] [--kernel NAME] [--interference] [--json FILE] "
    "-o PROFILE.json\n"
    "kernels held-out [--device cpu|cuda] [--kernel NAME] [--seed N] [--interference] "
    "[--json FILE] -o MEASURED.json\n"
    "kernels exchange [--meet HOST:PORT|FILE] [--way protocol|send-recv] [--tokens N] [--sms N] "
    "[--seed N]\n"
    "kernels pipeline [--device cpu|cuda] [--model NAME] [--schedules NAME,NAME] [--ranks N] "
    "[--microbatches N] [--sms N] [--json FILE]\n";

constexpr int kCheckFailed = 1;
constexpr int kBadInput = 2;

int Complain(const std::string& text) {
  std::fprintf(stderr, "kernels: error: %s\n", text.c_str());
  return kBadInput;
}

struct Line {
  std::string verb;
  bench::Request request;
  std::string file;     // --json
  std::string profile;  // -o
  exchange::NodesRequest job = {.config = {.experts = 256, .selected = 8}};
  std::string meet = {};
  PipelineRequest pipeline = {};
};

Result<uint64_t> Number(const std::string& option, const std::string& text, uint64_t most) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos || value > most) {
    return Fail(option + ": '" + text + "': expected a number up to " + std::to_string(most));
  }
  return value;
}

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ',') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

// Options whose value is a number.
struct NumberOption {
  const char* name;
  uint64_t least, most;
  void (*set)(Line& line, uint64_t value);
};
constexpr NumberOption kNumbers[] = {
    {"--seed", 0, UINT64_MAX,
     [](Line& line, uint64_t n) { line.request.seed = line.job.seed = n; }},
    {"--sms", 0, 1024,
     [](Line& line, uint64_t n) {
       const int sms = static_cast<int>(n);
       line.request.sms = line.job.config.sms = line.pipeline.communication_sms = sms;
     }},
    {"--tokens", 0, 1 << 20,
     [](Line& line, uint64_t n) { line.job.config.tokens = static_cast<int>(n); }},
    {"--ranks", 1, 1024, [](Line& line, uint64_t n) { line.pipeline.ranks = static_cast<int>(n); }},
    {"--microbatches", 1, 1024,
     [](Line& line, uint64_t n) { line.pipeline.microbatches = static_cast<int>(n); }},
};

Status TakeNumber(Line& line, const NumberOption& option, const std::string& value) {
  const auto number = Number(option.name, value, option.most);
  if (option.least > 0 && (!number || *number < option.least)) {
    return Fail(std::string(option.name) + ": expected a number from " +
                std::to_string(option.least) + " to " + std::to_string(option.most));
  }
  if (!number) return Fail(number.error());
  option.set(line, *number);
  return {};
}

Status Take(Line& line, const std::string& option, const std::string& value) {
  const auto number = std::find_if(std::begin(kNumbers), std::end(kNumbers),
                                   [&](const auto& known) { return option == known.name; });
  if (number != std::end(kNumbers)) return TakeNumber(line, *number, value);
  if (option == "--device") {
    if (value != "cpu" && value != "cuda") return Fail("--device: expected cpu or cuda");
    line.request.device = value == "cpu" ? bench::Device::kCpu : bench::Device::kCuda;
  } else if (option == "--kernel") {
    line.request.kernel = value;
  } else if (option == "--json") {
    line.file = value;
  } else if (option == "-o") {
    line.profile = value;
  } else if (option == "--model") {
    line.pipeline.model = value;
  } else if (option == "--schedules") {
    line.pipeline.schedules = Words(value);
  } else if (option == "--meet") {
    line.meet = value;
  } else if (option == "--way") {
    if (value != "protocol" && value != "send-recv") {
      return Fail("--way: expected protocol or send-recv");
    }
    line.job.way = value == "protocol" ? exchange::Way::kProtocol : exchange::Way::kSendRecv;
  } else {
    return Fail("unknown option '" + option + "'");
  }
  return {};
}

Result<Line> Parse(const std::vector<std::string>& words) {
  if (words.empty())
    return Fail("expected list, check, bench, calibrate, held-out, exchange or pipeline");
  Line line = {.verb = words[0], .request = {}, .file = "", .profile = ""};
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--interference") {
      line.request.interference = true;
    } else if (i + 1 == words.size()) {
      return Fail(words[i] + ": expected a value after it");
    } else if (auto ok = Take(line, words[i], words[i + 1]); !ok) {
      return Fail(ok.error());
    } else {
      ++i;
    }
  }
  return line;
}

// The text, and the file where one is asked for.
int Emit(const std::string& text, const std::string& file, const std::string& bytes, int exit) {
  std::fputs(text.c_str(), stdout);
  if (file.empty()) return exit;
  const auto written = WriteFileAtomically(file, bytes);
  return written ? exit : Complain(written.error().ToString());
}

// What was measured is written; what was not is said.
int Calibrated(const Line& line, const bench::BenchReport& report) {
  const std::string profile = measured::ProfileJson(ProfileOf(report, "kernels " + line.verb));
  const int exit = report.failures.empty() ? 0 : kCheckFailed;
  for (const std::string& failure : report.failures) {
    std::fprintf(stderr, "kernels: not measured: %s\n", failure.c_str());
  }
  if (const int json = Emit("", line.file, BenchJson(report), 0); json != 0) return json;
  return line.profile.empty() ? Emit(profile, "", "", exit) : Emit("", line.profile, profile, exit);
}

int Exchanged(const Line& line) {
  const auto report = exchange::RunExchangeJob(line.job, line.meet, Seconds(60));
  if (!report) return Complain(report.error().ToString());
  if (!report->failure.empty()) {
    Complain(report->failure);
    return kCheckFailed;
  }
  return Emit(report->text, "", "", 0);
}

int Piped(const Line& line) {
  PipelineRequest request = line.pipeline;
  request.cuda = line.request.device == bench::Device::kCuda;
  const auto report = RunPipeline(request);
  if (!report) return Complain(report.error().ToString());
  return Emit(report->text, line.file, report->json, report->well ? 0 : kCheckFailed);
}

int Run(const Line& line) {
  const bench::Progress progress = [](const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
  };
  if (line.verb == "list") return Emit(bench::ListText(), line.file, bench::ListJson(), 0);
  if (line.verb == "check") {
    const auto report = RunChecks(line.request, progress);
    if (!report) return Complain(report.error().ToString());
    return Emit(report->text, line.file, report->json, report->well ? 0 : kCheckFailed);
  }
  if (line.verb == "exchange") return Exchanged(line);
  if (line.verb == "pipeline") return Piped(line);
  if (line.verb != "bench" && line.verb != "calibrate" && line.verb != "held-out") {
    return Complain("'" + line.verb +
                    "': expected list, check, bench, calibrate, held-out, exchange or pipeline");
  }
  bench::Request request = line.request;
  request.calibrate = line.verb == "calibrate";
  const auto report =
      line.verb == "held-out" ? RunHeldOut(request, progress) : RunBench(request, progress);
  if (!report) return Complain(report.error().ToString());
  if (line.verb == "bench") {
    return Emit(BenchText(*report), line.file, BenchJson(*report),
                report->failures.empty() ? 0 : kCheckFailed);
  }
  return Calibrated(line, *report);
}

int Main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty() || words[0] == "--help") {
    std::fputs(kUsage, words.empty() ? stderr : stdout);
    return words.empty() ? kBadInput : 0;
  }
  const auto line = Parse(words);
  return line ? Run(*line) : Complain(line.error().ToString());
}

}  // namespace
}  // namespace pipescope::kernels

int main(int argc, char** argv) { return pipescope::kernels::Main(argc, argv); }
