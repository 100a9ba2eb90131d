#include "reports/replay_report.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "reports/trace_report.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;
using replay::Cause;
using replay::Replay;

constexpr const char* kNames[replay::kCauses] = {"order on a stream", "launch by the host",
                                                 "wait for a stream", "by timing alone"};

std::array<int64_t, replay::kCauses> Counts(const Replay& r) {
  std::array<int64_t, replay::kCauses> counts = {};
  for (const replay::Dependency& d : r.dependencies.all) ++counts[static_cast<size_t>(d.cause)];
  for (const replay::HostStep& step : r.dependencies.host) {
    counts[static_cast<size_t>(Cause::kLaunch)] += step.launches_it ? 1 : 0;
  }
  return counts;
}

// All delays that ended with an operation's start, over the recorded time: streams pause beside
// each other, so the shares may exceed what the device idles.
double DelayShare(const Replay& r, size_t cause) {
  const double sum =
      static_cast<double>(r.dependencies.decided[cause]) * r.dependencies.delay[cause].seconds();
  return r.recorded == Duration() ? 0 : sum / r.recorded.seconds();
}

double Change(const Replay& r) {
  return r.recorded == Duration() ? 0 : r.replayed / r.recorded - 1;
}

std::string Scaled(const Replay& r) {
  std::string text;
  const auto add = [&](const char* name, double scale) {
    if (scale != 1) text += fmt::format("{}{} x {:g}", text.empty() ? "" : ", ", name, scale);
  };
  for (int c = 0; c < trace::kOperationClasses; ++c) {
    add(trace::Name(static_cast<trace::OperationClass>(c)),
        r.scales.of_class[static_cast<size_t>(c)]);
  }
  add("host", r.scales.host);
  return text;
}

std::string Head(const Replay& r) {
  const replay::Dependencies& d = r.dependencies;
  const std::string scaled = Scaled(r);
  std::string text = fmt::format("Replay{}: {} against {} in the trace, {:+.1f} %\n",
                                 scaled.empty() ? "" : " with " + scaled, Format(r.replayed),
                                 Format(r.recorded), 100 * Change(r));
  text += fmt::format(
      "{} of delay, {} of the trace, follow from no dependency and are left out; {} kernels take "
      "turns on the SMs; the host pauses {} times for the device\n\n",
      Format(d.unexplained),
      FormatPercent(r.recorded == Duration() ? 0 : d.unexplained / r.recorded), d.turns.size(),
      d.pauses);
  text += "depends on             times   decides    delay  of the trace\n";
  const auto counts = Counts(r);
  for (size_t c = 0; c < counts.size(); ++c) {
    text += fmt::format("{:<20} {:>7}  {:>8}  {:>7}  {:>12}\n", kNames[c], counts[c], d.decided[c],
                        Format(d.delay[c]), FormatPercent(DelayShare(r, c)));
  }
  return text;
}

}  // namespace

std::string ReplayText(const Replay& r, const trace::Summary& s) {
  return Head(r) + "\nReplayed\n" + TraceText(r.trace, s);
}

std::string ReplayJson(const Replay& r, const trace::Summary& s) {
  const replay::Dependencies& d = r.dependencies;
  Json scales = Json::object(), list = Json::array();
  for (int c = 0; c < trace::kOperationClasses; ++c) {
    const double scale = r.scales.of_class[static_cast<size_t>(c)];
    if (scale != 1) scales[trace::Name(static_cast<trace::OperationClass>(c))] = scale;
  }
  if (r.scales.host != 1) scales["host"] = r.scales.host;
  const auto counts = Counts(r);
  for (size_t c = 0; c < counts.size(); ++c) {
    list.push_back({{"cause", kNames[c]},
                    {"count", counts[c]},
                    {"decided", d.decided[c]},
                    {"delay_s", d.delay[c].seconds()},
                    {"delays_share", DelayShare(r, c)}});
  }
  Json json = Json::parse(TraceJson(r.trace, s));
  json["replay"] = {
      {"recorded_s", r.recorded.seconds()},
      {"replayed_s", r.replayed.seconds()},
      {"scales", scales},
      {"unexplained_s", d.unexplained.seconds()},
      {"unexplained_share", r.recorded == Duration() ? 0 : d.unexplained / r.recorded},
      {"wait_calls", d.wait_calls},
      {"turns", d.turns.size()},
      {"host_pauses", d.pauses},
      {"dependencies", list}};
  return json.dump(2) + "\n";
}

}  // namespace pipescope::reports
