#include "sim/trace/read.h"

#include <algorithm>
#include <charconv>
#include <istream>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/trace/pool.h"
#include "sim/trace/raw_event.h"

namespace pipescope::trace {
namespace {

// Takes the tokens of the parser; returning false stops it.
class Handler : public nlohmann::json_sax<nlohmann::json> {
 public:
  Handler(Input& input, const ReadLimits& limits, Trace& trace)
      : input_(input),
        limits_(limits),
        trace_(trace),
        names_(trace.names),
        threads_(trace.threads) {}

  bool null() override { return Value({Scalar::Type::kOther, "null"}); }
  bool boolean(bool b) override { return Value({Scalar::Type::kOther, b ? "true" : "false"}); }
  bool number_integer(int64_t v) override { return Number(v); }
  bool number_unsigned(uint64_t v) override { return Number(v); }
  bool number_float(double, const std::string& s) override {
    return Value({Scalar::Type::kNumber, s});
  }
  bool string(std::string& s) override { return Value({Scalar::Type::kString, s}); }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // not of JSON
  bool start_object(size_t) override { return Open(false); }
  bool start_array(size_t) override { return Open(true); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(std::string& k) override {
    input_.Accept();
    stack_.back().key = k;
    return true;
  }
  bool parse_error(size_t, const std::string& token, const nlohmann::detail::exception&) override {
    if (input_.ended()) {
      return Stop({"is cut off: expected the JSON of a trace to go on"});
    }
    return Stop({"'" + token.substr(token.size() > 40 ? token.size() - 40 : 0) +
                 "': is not JSON, which a trace is"});
  }

  bool found_events() const { return found_events_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  struct Frame {
    bool array;
    std::string key;   // of an object: the member under way
    size_t index = 0;  // of an array: likewise
  };

  bool Stop(Error error) {
    if (!error_) {
      error.where = input_.Here();
      error_ = std::move(error);
    }
    return false;
  }

  template <class T>
  bool Number(T value) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return Value({Scalar::Type::kNumber, {text, static_cast<size_t>(end - text)}});
  }

  // Frames that hold the list of events: the root array, or the root object and "traceEvents".
  size_t ListDepth() const {
    if (stack_.empty() || stack_[0].array) return 1;
    return stack_[0].key == "traceEvents" ? 2 : std::numeric_limits<size_t>::max() / 2;
  }

  bool Value(const Scalar& value) {
    input_.Accept();
    const size_t list = ListDepth(), depth = stack_.size();
    if (depth == 0) return Stop({"expected an object with \"traceEvents\", or an array of events"});
    if (depth == list && stack_.back().array) {
      return Stop({"'" + std::string(value.text.substr(0, 40)) + "': expected an event, an object",
                   {},
                   EventField()});
    }
    if (depth == list - 1) return Stop({"expected an array of events", {}, "traceEvents"});
    if (depth == list + 1) {
      event_.Set(stack_.back().key, value);
    } else if (depth == list + 2 && stack_[list].key == "args" && !stack_.back().array) {
      event_.SetArgument(stack_.back().key, value);
    } else if (depth == list + 3 && stack_[list].key == "args" && stack_.back().array) {
      event_.SetEntry(stack_[list + 1].key, stack_.back().index, value);
    } else if (depth == list + 4 && stack_[list].key == "args" && stack_.back().array) {
      event_.SetEntry(stack_[list + 1].key, stack_[list + 2].index, stack_.back().index, value);
    } else if (depth > 1 && !stack_[0].array) {
      Head(value);
    }
    ++stack_.back().index;
    return true;
  }

  // Members outside of the events that describe the machine.
  void Head(const Scalar& value) {
    const std::string& part = stack_[0].key;
    const std::string& member = stack_.back().key;
    int number = -1;
    if (value.type == Scalar::Type::kNumber) {
      std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
    }
    if (part == "distributedInfo" && stack_.size() == 2) {
      if (member == "rank") trace_.rank = number;
      if (member == "world_size") trace_.world_size = number;
    } else if (part == "deviceProperties" && stack_.size() == 3 && stack_[1].index == 0) {
      if (member == "name") trace_.device_name = value.text;
      if (member == "numSms") trace_.sms = std::max(number, 0);
    }
  }

  bool Open(bool array) {
    input_.Accept();
    const size_t list = ListDepth(), depth = stack_.size();
    if (depth >= limits_.depth) {
      return Stop({"is nested deeper than " + std::to_string(limits_.depth) + " levels"});
    }
    if (depth + 1 == list && (depth == 1 || array)) {
      if (!array) return Stop({"expected an array of events", {}, "traceEvents"});
      found_events_ = true;
    }
    if (depth == list && array) return Stop({"expected an event, an object", {}, EventField()});
    if (depth == list) event_ = RawEvent();
    stack_.push_back({array, {}, 0});
    return true;
  }

  bool Close() {
    input_.Accept();
    const bool event = stack_.size() == ListDepth() + 1;
    stack_.pop_back();
    if (event && !Keep()) return false;
    if (!stack_.empty()) ++stack_.back().index;
    return true;
  }

  std::string EventField() const {
    return "traceEvents[" + std::to_string(stack_.back().index) + "]";
  }

  bool Keep() {
    ++trace_.events;
    const RawEvent& e = event_;
    const bool device =
        e.category == "kernel" || e.category == "gpu_memcpy" || e.category == "gpu_memset";
    const bool launch = e.category == "cuda_runtime" || e.category == "cuda_driver";
    const bool call = e.category == "cpu_op" && TellsShapes(e);
    if (e.phase != "X" || !(device || launch || call || e.category == "user_annotation")) {
      return true;
    }
    if (auto error = e.wrong) {
      error->field = EventField() + "." + error->field;
      return Stop(*std::move(error));
    }
    if (!e.start) return Stop({"is missing", {}, EventField() + ".ts"});
    if (!e.length) return Stop({"is missing", {}, EventField() + ".dur"});
    if (++kept_ > limits_.kept || names_.bytes() + threads_.bytes() > limits_.name_bytes) {
      return Stop({"is too large: more than " + std::to_string(limits_.kept) +
                   " operations, launches and annotations, or their names too long"});
    }
    return device ? AddOperation() : launch ? AddLaunch() : call ? AddCall() : AddAnnotation();
  }

  // Of the many operators the few that are kept.
  static bool TellsShapes(const RawEvent& e) {
    if (e.name.starts_with(kBackwardFunction)) return true;
    return !e.inputs.empty() &&
           (e.name == "aten::mm" || e.name == "aten::addmm" || e.name == "aten::bmm");
  }

  // Times are nanoseconds since 1970 for now; ReadTrace makes them times from the trace's start.
  bool AddOperation() {
    const RawEvent& e = event_;
    if (!e.stream) return Stop({"is missing", {}, EventField() + ".args.stream"});
    const DeviceWork work = e.category == "kernel"       ? DeviceWork::kKernel
                            : e.category == "gpu_memcpy" ? DeviceWork::kCopy
                                                         : DeviceWork::kFill;
    const std::string key = e.CommonKey();
    const int32_t common = key.empty() ? -1 : names_.Of(key);
    trace_.operations.push_back(
        {work, names_.Of(e.name), static_cast<int32_t>(e.device.value_or(0)), *e.stream,
         e.correlation.value_or(-1), common, e.grid, e.block, Bytes(e.bytes.value_or(0)),
         Duration(*e.start), Duration(*e.length)});
    return true;
  }

  bool AddLaunch() {
    const RawEvent& e = event_;
    if (e.correlation) {
      trace_.launches.push_back({*e.correlation, Thread(), Duration(*e.start), names_.Of(e.name)});
    }
    return true;
  }

  bool AddCall() {
    RawEvent& e = event_;
    const int32_t type = e.input_type.empty() ? -1 : names_.Of(e.input_type);
    trace_.calls.push_back({names_.Of(e.name), Thread(), type, std::move(e.inputs),
                            Duration(*e.start), Duration(*e.length)});
    return true;
  }

  bool AddAnnotation() {
    const RawEvent& e = event_;
    trace_.annotations.push_back(
        {names_.Of(e.name), Thread(), Duration(*e.start), Duration(*e.length)});
    return true;
  }

  int32_t Thread() { return threads_.Of(event_.process + "/" + event_.thread); }

  Input& input_;
  const ReadLimits& limits_;
  Trace& trace_;
  Pool names_, threads_;
  std::vector<Frame> stack_;
  RawEvent event_;
  int64_t kept_ = 0;
  bool found_events_ = false;
  std::optional<Error> error_;
};

template <class Events>
Duration Earliest(const Events& events, Duration so_far) {
  for (const auto& e : events) so_far = std::min(so_far, e.start);
  return so_far;
}

void CountFromTheStart(Trace& trace) {
  Duration base = Earliest(trace.operations, Duration::Max());
  base = Earliest(trace.annotations, Earliest(trace.launches, base));
  base = Earliest(trace.calls, base);
  trace.epoch_ns = base.picoseconds();
  constexpr int64_t kPicoseconds = 1000;  // a nanosecond
  const auto place = [&](auto& events) {
    for (auto& e : events) {
      e.start = (e.start - base) * kPicoseconds;
      if constexpr (requires { e.length; }) e.length = e.length * kPicoseconds;
    }
    std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
      if constexpr (requires {
                      a.thread;
                      a.length;
                    }) {
        if (a.start == b.start) return a.length > b.length;
      }
      return a.start < b.start;
    });
  };
  place(trace.operations);
  place(trace.launches);
  place(trace.calls);
  place(trace.annotations);
}

}  // namespace

Result<Trace> ReadTrace(const std::string& path, const ReadLimits& limits) {
  Trace trace;
  trace.file = path;
  Input input(path, limits.input);
  if (input.error()) return Fail(*input.error());
  std::istream stream(&input);
  Handler handler(input, limits, trace);
  const bool well = nlohmann::json::sax_parse(stream, &handler);
  if (input.error()) return Fail(*input.error());
  if (handler.error()) return Fail(*handler.error());
  PIPESCOPE_CHECK(well);
  if (!handler.found_events()) return Fail(Error{"is missing", {path}, "traceEvents"});
  if (trace.operations.empty()) {
    return Fail(Error{"holds no kernels, copies or fills; was the GPU's activity recorded?",
                      {path},
                      "traceEvents"});
  }
  CountFromTheStart(trace);
  return trace;
}

}  // namespace pipescope::trace
