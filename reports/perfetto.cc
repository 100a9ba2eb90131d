#include "reports/perfetto.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "reports/verdict.h"
#include "schedules/token.h"

namespace pipescope::reports {
namespace {

constexpr int kActionThread = 0;  // lanes follow from 1
constexpr const char* kLaneNames[] = {"compute", "communication", "pipeline messages",
                                      "gradients and parameters"};

std::string Quote(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Microseconds with picosecond digits: exact, and the same on every machine.
std::string Time(Duration d) {
  return fmt::format("{}.{:06}", d.picoseconds() / 1'000'000, d.picoseconds() % 1'000'000);
}

class Writer {
 public:
  // Processes of one result start at `base`.
  void AddResult(const StepResult& r, int base) {
    base_ = base;
    NameThreads(r);
    for (const timeline::ActionSpan& span : r.timeline.actions) {
      Complete(span.rank, kActionThread, schedules::ToToken(span.action), "action", span.start,
               span.end);
    }
    for (const timeline::Operation& op : r.timeline.operations) {
      const timeline::Label& label = r.timeline.labels[static_cast<size_t>(op.label)];
      Complete(op.rank, 1 + static_cast<int>(label.lane), label.name, "operation", op.start,
               op.end);
    }
    AddFlows(r);
    AddMemory(r);
  }

  std::string Take() {
    return "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n" + events_ + "\n]}\n";
  }

 private:
  template <class... Args>
  void Event(fmt::format_string<Args...> format, Args&&... args) {
    if (!events_.empty()) events_ += ",\n";
    fmt::format_to(std::back_inserter(events_), format, std::forward<Args>(args)...);
  }

  void NameThreads(const StepResult& r) {
    for (int rank = 0; rank < r.timeline.ranks; ++rank) {
      const int pid = base_ + rank;
      Event(R"({{"ph":"M","pid":{},"name":"process_name","args":{{"name":{}}}}})", pid,
            Quote(fmt::format("{} rank {}", Label(r.schedule), rank)));
      Event(R"({{"ph":"M","pid":{},"name":"process_sort_index","args":{{"sort_index":{}}}}})", pid,
            pid);
      Event(R"({{"ph":"M","pid":{},"tid":0,"name":"thread_name","args":{{"name":"actions"}}}})",
            pid);
      for (int lane = 0; lane < timeline::kLanes; ++lane) {
        Event(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})", pid,
              1 + lane, kLaneNames[lane]);
      }
    }
  }

  void Complete(int rank, int thread, const std::string& name, const char* category, Duration start,
                Duration end) {
    Event(R"({{"ph":"X","pid":{},"tid":{},"name":{},"cat":"{}","ts":{},"dur":{}}})", base_ + rank,
          thread, Quote(name), category, Time(start), Time(end - start));
  }

  // From the message to the action that takes it in.
  void AddFlows(const StepResult& r) {
    for (const timeline::Message& m : r.timeline.messages) {
      const timeline::Operation& op = r.timeline.operations[static_cast<size_t>(m.operation)];
      const int64_t id = ++flows_;
      Event(R"({{"ph":"s","pid":{},"tid":3,"id":{},"name":"message","cat":"message","ts":{}}})",
            base_ + m.from, id, Time(op.start));
      Event(
          R"({{"ph":"f","bp":"e","pid":{},"tid":0,"id":{},"name":"message","cat":"message","ts":{}}})",
          base_ + m.to, id, Time(op.end));
    }
  }

  void AddMemory(const StepResult& r) {
    for (size_t rank = 0; rank < r.activations.size(); ++rank) {
      const Bytes always = r.memory[rank].total_peak - r.memory[rank].activations_peak;
      for (const timeline::MemoryPoint& point : r.activations[rank].points) {
        Event(R"({{"ph":"C","pid":{},"name":"memory","ts":{},"args":{{"bytes":{}}}}})",
              base_ + static_cast<int>(rank), Time(point.time),
              (always + point.activations).value());
      }
    }
  }

  int base_ = 0;
  int64_t flows_ = 0;
  std::string events_;
};

}  // namespace

std::string PerfettoTrace(const std::vector<StepResult>& results) {
  Writer writer;
  int base = 1;
  for (const StepResult& r : results) {
    writer.AddResult(r, base);
    base += r.timeline.ranks;
  }
  return writer.Take();
}

}  // namespace pipescope::reports
