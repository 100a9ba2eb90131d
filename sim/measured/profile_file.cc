#include "sim/measured/profile_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/base/document.h"
#include "sim/base/fields.h"
#include "sim/measured/schema.h"

namespace pipescope::measured {
namespace {

constexpr int64_t kMaxBytes = 16 << 20;
constexpr int kMostSms = 1 << 20;
constexpr int64_t kMostSize = int64_t{1} << 53;  // of a shape: what every JSON reader can hold
constexpr double kMostSeconds = 1e6;

template <class Enum>
std::vector<std::string> Names(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.emplace_back(Name(static_cast<Enum>(i)));
  return names;
}

// The value of that name; the first where it is none of the `count`, which Choice notes.
template <class Enum>
Enum ReadEnum(Fields& fields, const std::string& field, int count) {
  const std::vector<std::string> names = Names<Enum>(count);
  const auto at = std::find(names.begin(), names.end(), fields.Choice(field, names));
  return static_cast<Enum>(at - names.begin());
}

Shape ReadShape(Fields fields, Kind kind) {
  Shape shape;
  for (const std::string_view name : Dimensions(kind)) {
    // A model may have no shared expert and recompute nothing; no size is 0.
    const int64_t least = name == "shared_width" || name == "recompute" ? 0 : 1;
    shape[std::string(name)] = fields.Integer(std::string(name), least, kMostSize);
  }
  return shape;
}

Times ReadTimes(Fields& f) {
  const auto time = [&](const char* name) { return Seconds(f.Number(name, 0, kMostSeconds)); };
  Times times{f.Integer("count", 1, kMostSize), time("mean_s"), time("min_s"), time("max_s"),
              time("std_s")};
  if (times.least > times.mean) f.Note("mean_s", "expected at least min_s");
  if (times.mean > times.most) f.Note("mean_s", "expected at most max_s");
  if (times.deviation > times.most - times.least) {
    f.Note("std_s", "expected at most max_s - min_s");
  }
  return times;
}

Operation ReadOperation(Fields& f) {
  Operation op;
  op.kind = ReadEnum<Kind>(f, "kind", kKinds);
  if (Name(op.kind) != f.Text("kind")) {  // else its shape would be called wrong
    f.IgnoreOthers();
    return op;
  }
  if (HasPass(op.kind)) {
    op.pass = ReadEnum<Pass>(f, "pass", kPasses);
    if (op.pass == Pass::kNone) f.Note("pass", "expected forward, input_grad or weight_grad");
  }
  op.format = ReadEnum<Format>(f, "dtype", kFormats);
  op.shape = ReadShape(f.Object("shape"), op.kind);
  op.sms = static_cast<int>(f.Integer("sms", 0, kMostSms));
  op.times = ReadTimes(f);
  op.name = f.String("name", "");
  op.source = f.String("source", "");
  return op;
}

}  // namespace

Result<Profile> ReadProfile(const std::string& path) {
  auto document = LoadDocument(path, kMaxBytes);
  if (!document) return Fail(document.error());
  Reader reader(*document);
  Fields root = reader.Root();
  if (root.Text("schema") != kSchema) {  // another version may have other fields
    return Fail(
        Error{fmt::format("'{}': expected '{}'", root.Text("schema").substr(0, 80), kSchema),
              root.Where("schema"), "schema"});
  }
  Profile profile;
  profile.device = root.String("device");
  profile.sms = static_cast<int>(root.Integer("sms", 0, kMostSms));
  Fields machine = root.OptionalObject("machine");
  for (const std::string& name : machine.Names()) profile.machine[name] = machine.String(name);
  std::set<decltype(Operation().Key())> keys;
  for (Fields& fields : root.Objects("operations")) {
    profile.operations.push_back(ReadOperation(fields));
    if (keys.insert(profile.operations.back().Key()).second) continue;
    fields.Note("", "is a second measurement of the same operation; expected each once");
  }
  if (auto ok = reader.Finish(); !ok) return Fail(ok.error());
  return profile;
}

}  // namespace pipescope::measured
