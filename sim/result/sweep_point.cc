#include "sim/result/sweep_point.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace pipescope {
namespace {

using Json = nlohmann::json;  // its objects are sorted by key

using Part = std::pair<const char*, Duration timeline::Breakdown::*>;
constexpr Part kParts[] = {{"forward", &timeline::Breakdown::forward},
                           {"backward_input", &timeline::Breakdown::backward_input},
                           {"backward_weight", &timeline::Breakdown::backward_weight},
                           {"overlapped", &timeline::Breakdown::overlapped},
                           {"exposed_communication", &timeline::Breakdown::exposed_communication},
                           {"bubble", &timeline::Breakdown::bubble},
                           {"optimizer", &timeline::Breakdown::optimizer}};

void WriteFigures(const StepFigures& f, Json& json) {
  Json& parts = json["breakdown_s"];
  for (const auto& [name, part] : kParts) parts[name] = (f.breakdown.*part).seconds();
  json["bound_by"] = f.bound_by;
  json["bubble_rate"] = f.bubble_rate;
  json["fits"] = f.fits;
  json["gpus"] = f.gpus;
  json["memory_bytes"] = {
      {"limit", f.memory_limit.value()}, {"peak", f.memory_peak.value()}, {"rank", f.fullest_rank}};
  json["mfu"] = f.mfu_causal;
  json["schedule"] = f.schedule;
  json["step_time_s"] = f.step_time.seconds();
  json["tokens_per_second"] = f.tokens_per_second;
}

// Fields of a line that somebody may have edited: what is missing or of another kind makes the
// line no line of a sweep.
class LineReader {
 public:
  explicit LineReader(const Json& json) : json_(json) {}

  std::string Text(const char* key) {
    const Json* value = Find(key);
    if (value != nullptr && value->is_string()) return value->get<std::string>();
    well_ = false;
    return "";
  }
  double Number(const char* key) {
    const Json* value = Find(key);
    if (value != nullptr && value->is_number()) return value->get<double>();
    well_ = false;
    return 0;
  }
  int64_t Whole(const char* key, int64_t most) {
    const Json* value = Find(key);
    if (value != nullptr && value->is_number_integer()) {
      const bool fits =
          !value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(most);
      if (fits && value->get<int64_t>() >= 0 && value->get<int64_t>() <= most) {
        return value->get<int64_t>();
      }
    }
    well_ = false;
    return 0;
  }
  // To the picosecond that was written: seconds() divides, and may be off by rounding.
  Duration Time(const char* key) {
    const double ps = Number(key) * 1e12;
    if (!(ps >= 0 && ps < 9e18)) {
      well_ = false;
      return Duration();
    }
    return Duration(std::llround(ps));
  }
  bool Flag(const char* key) {
    const Json* value = Find(key);
    if (value != nullptr && value->is_boolean()) return value->get<bool>();
    well_ = false;
    return false;
  }
  LineReader Object(const char* key) {
    static const Json empty = Json::object();
    const Json* value = Find(key);
    if (value != nullptr && value->is_object()) return LineReader(*value);
    well_ = false;
    return LineReader(empty);
  }
  bool Has(const char* key) const { return Find(key) != nullptr; }
  bool well() const { return well_; }
  const Json& json() const { return json_; }

 private:
  const Json* Find(const char* key) const {
    const auto at = json_.find(key);
    return at == json_.end() ? nullptr : &*at;
  }

  const Json& json_;
  bool well_ = true;
};

bool ReadFigures(LineReader& line, StepFigures& f) {
  LineReader parts = line.Object("breakdown_s");
  for (const auto& [name, part] : kParts) f.breakdown.*part = parts.Time(name);
  LineReader memory = line.Object("memory_bytes");
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  f.memory_limit = Bytes(memory.Whole("limit", kMost));
  f.memory_peak = Bytes(memory.Whole("peak", kMost));
  f.fullest_rank = static_cast<int>(memory.Whole("rank", 1 << 30));
  f.bound_by = line.Text("bound_by");
  f.bubble_rate = line.Number("bubble_rate");
  f.fits = line.Flag("fits");
  f.gpus = static_cast<int>(line.Whole("gpus", std::numeric_limits<int>::max()));
  f.mfu_causal = line.Number("mfu");
  f.schedule = line.Text("schedule");
  f.step_time = line.Time("step_time_s");
  f.tokens_per_second = line.Number("tokens_per_second");
  return parts.well() && memory.well();
}

}  // namespace

std::string SweepLine(const SweepPoint& point, const std::string& sweep) {
  Json json;
  json["index"] = point.index;
  json["sweep"] = sweep;
  Json& overrides = json["overrides"] = Json::object();
  for (const auto& [path, value] : point.overrides) overrides[path] = value;
  if (point.error.empty()) {
    WriteFigures(point.figures, json);
  } else {
    json["error"] = point.error;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<StoredPoint> ReadSweepLine(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Fail("expected a line of JSON that `pipescope sweep` wrote");
  LineReader line(json);
  StoredPoint stored;
  SweepPoint& point = stored.point;
  point.index = line.Whole("index", std::numeric_limits<int64_t>::max());
  stored.sweep = line.Text("sweep");
  const LineReader overrides = line.Object("overrides");
  bool well = true;
  for (const auto& [path, value] : overrides.json().items()) {
    well = well && value.is_string();
    if (well) point.overrides.emplace_back(path, value.get<std::string>());
  }
  if (line.Has("error")) {
    point.error = line.Text("error");
  } else {
    well = ReadFigures(line, point.figures) && well;
  }
  if (!well || !line.well()) {
    return Fail("expected a line of JSON that `pipescope sweep` wrote");
  }
  return stored;
}

}  // namespace pipescope
