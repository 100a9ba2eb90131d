#include "reports/trace_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;
using trace::OperationClass;

const char* LaneName(timeline::Lane lane) {
  return lane == timeline::Lane::kCommunication ? "communication" : "compute";
}

double Share(Duration part, Duration all) { return all == Duration() ? 0 : part / all; }

// Names come from the file: control characters would spoil the terminal, long ones the table.
std::string Printable(std::string name) {
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return name.size() > 60 ? name.substr(0, 57) + "..." : name;
}

std::string Head(const trace::Trace& t, const trace::Summary& s) {
  std::string text = Printable(t.device_name.empty() ? "an unnamed device" : t.device_name);
  if (t.sms > 0) text += fmt::format(" with {} SMs", t.sms);
  if (t.rank >= 0) text += fmt::format(", rank {}", t.rank);
  if (t.rank >= 0 && t.world_size > 0) text += fmt::format(" of {}", t.world_size);
  text += fmt::format(": {} operations in {}, {} of it idle\n", t.operations.size(), Format(s.span),
                      Format(s.idle));
  const auto& o = s.overlap;
  text += fmt::format("computation   busy {}, {} of the span\n", Format(o.compute_busy),
                      FormatPercent(Share(o.compute_busy, s.span)));
  if (o.communication_busy == Duration())
    return text + "communication none on a stream of its own\n";
  return text + fmt::format("communication {}, {} of it beside computation, {} exposed\n",
                            Format(o.communication_busy), FormatPercent(o.hidden_share()),
                            Format(o.communication_busy - o.communication_hidden));
}

std::string Streams(const trace::Summary& s) {
  std::string text = "\nStreams\n    stream  lane           operations       busy  of span\n";
  for (const trace::StreamUse& use : s.streams) {
    text += fmt::format("{:>10}  {:<13}  {:>10}  {:>9}  {:>7}\n", use.stream.number,
                        LaneName(use.stream.lane), use.operations, Format(use.busy),
                        FormatPercent(Share(use.busy, s.span)));
  }
  return text;
}

std::string Phases(const trace::Summary& s) {
  std::string text =
      "\nPhases (busy time of each occurrence)\n"
      "phase                 lane           times  operations       mean      least       most\n";
  for (const trace::PhaseUse& use : s.phases) {
    text += fmt::format("{:<20}  {:<13}  {:>5}  {:>10}  {:>9}  {:>9}  {:>9}\n",
                        use.name.empty() ? "(not annotated)" : Printable(use.name),
                        LaneName(use.lane), use.times, use.operations, Format(use.mean),
                        Format(use.least), Format(use.most));
  }
  return text;
}

std::string Classes(const trace::Summary& s) {
  Duration all, other;
  for (const trace::ClassUse& use : s.classes) {
    all += use.total;
    if (use.operation_class == OperationClass::kOther) other = use.total;
  }
  std::string text =
      "\nOperations\n"
      "class                 operations      total   share       mean      least       most"
      "  blocks\n";
  for (const trace::ClassUse& use : s.classes) {
    const std::string blocks = use.most_blocks == 0 ? "-"
                               : use.fewest_blocks == use.most_blocks
                                   ? fmt::format("{}", use.most_blocks)
                                   : fmt::format("{}-{}", use.fewest_blocks, use.most_blocks);
    text += fmt::format("{:<20}  {:>10}  {:>9}  {:>6}  {:>9}  {:>9}  {:>9}  {}\n",
                        trace::Name(use.operation_class), use.operations, Format(use.total),
                        FormatPercent(Share(use.total, all)),
                        Format(Duration(use.total.picoseconds() / use.operations)),
                        Format(use.least), Format(use.most), blocks);
  }
  return text + fmt::format("{} of the time is in kernels whose names no rule knows.\n",
                            FormatPercent(Share(other, all)));
}

Json KnownOrNull(int value) { return value >= 0 ? Json(value) : Json(); }

Json StreamsJson(const trace::Summary& s) {
  Json list = Json::array();
  for (const trace::StreamUse& use : s.streams) {
    list.push_back({{"device", use.stream.device},
                    {"stream", use.stream.number},
                    {"lane", LaneName(use.stream.lane)},
                    {"operations", use.operations},
                    {"busy_s", use.busy.seconds()},
                    {"busy_share", Share(use.busy, s.span)}});
  }
  return list;
}

Json PhasesJson(const trace::Summary& s) {
  Json list = Json::array();
  for (const trace::PhaseUse& use : s.phases) {
    list.push_back({{"name", use.name.empty() ? Json() : Json(use.name)},
                    {"lane", LaneName(use.lane)},
                    {"times", use.times},
                    {"operations", use.operations},
                    {"mean_s", use.mean.seconds()},
                    {"least_s", use.least.seconds()},
                    {"most_s", use.most.seconds()}});
  }
  return list;
}

Json ClassesJson(const trace::Summary& s) {
  Json list = Json::array();
  for (const trace::ClassUse& use : s.classes) {
    list.push_back({{"name", trace::Name(use.operation_class)},
                    {"operations", use.operations},
                    {"total_s", use.total.seconds()},
                    {"mean_s", use.total.seconds() / static_cast<double>(use.operations)},
                    {"least_s", use.least.seconds()},
                    {"most_s", use.most.seconds()},
                    {"fewest_blocks", use.fewest_blocks},
                    {"most_blocks", use.most_blocks}});
  }
  return list;
}

}  // namespace

std::string TraceText(const trace::Trace& trace, const trace::Summary& summary) {
  return Head(trace, summary) + Streams(summary) + Phases(summary) + Classes(summary);
}

std::string TraceJson(const trace::Trace& t, const trace::Summary& s) {
  const auto& o = s.overlap;
  const Json json = {
      {"file", t.file},
      {"device", t.device_name.empty() ? Json() : Json(t.device_name)},
      {"sms", t.sms > 0 ? Json(t.sms) : Json()},
      {"rank", KnownOrNull(t.rank)},
      {"world_size", KnownOrNull(t.world_size)},
      {"events", t.events},
      {"span_s", s.span.seconds()},
      {"idle_s", s.idle.seconds()},
      {"compute_busy_s", o.compute_busy.seconds()},
      {"communication_s", o.communication_busy.seconds()},
      {"communication_hidden_s", o.communication_hidden.seconds()},
      {"hidden_share", o.communication_busy == Duration() ? Json() : Json(o.hidden_share())},
      {"streams", StreamsJson(s)},
      {"phases", PhasesJson(s)},
      {"classes", ClassesJson(s)},
      {"definitions",
       {{"span_s", "first operation's start to the last one's end on the device"},
        {"communication_s", "sum over operations of streams that mostly communicate"},
        {"hidden_share", "of communication_s, while a stream that mostly computes is busy"},
        {"phases", "by the innermost annotation open at the launch; busy: union of intervals"}}}};
  // Bytes that are not UTF-8 become a replacement sign instead of an exception.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipescope::reports
