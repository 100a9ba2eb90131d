#include "sim/base/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/base/names.h"

namespace pipescope {
namespace {

const char* KindName(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "nothing";
    case Value::Kind::kScalar:
      return "a single value";
    case Value::Kind::kSequence:
      return "a list";
    case Value::Kind::kMapping:
      return "a mapping";
  }
  return "";
}

// A field that is not in the file yet is the likelier one: nodez is nodes, although node is as
// near.
std::string SuggestField(const std::string& name, const std::set<std::string>& known,
                         const Value& mapping) {
  std::vector<std::string> absent;
  for (const std::string& field : known) {
    if (mapping.Find(field) == nullptr) absent.push_back(field);
  }
  const std::string nearest = NearestName(name, absent);
  if (!nearest.empty()) return "; did you mean '" + nearest + "'?";
  return Suggestion(name, std::vector<std::string>(known.begin(), known.end()));
}

// Exact over all of int64; a whole number in another form (4e3, 12.0) counts up to 2^53, beyond
// which a double no longer tells whole numbers apart.
std::optional<int64_t> WholeNumber(const std::string& text) {
  int64_t exact = 0;
  const char* last = text.data() + text.size();
  const auto [end, code] = std::from_chars(text.data(), last, exact);
  if (code == std::errc() && end == last) return exact;
  auto number = ParseNumber(text);
  if (!number || *number != std::floor(*number) || std::abs(*number) > 9007199254740992.0)
    return {};
  return static_cast<int64_t>(*number);
}

}  // namespace

Fields::Fields(Reader* reader, const Value* value, std::string path)
    : reader_(reader),
      value_(value),
      path_(std::move(path)),
      taken_(std::make_shared<std::set<std::string>>()) {
  reader_->seen_.push_back({value_, path_, taken_});
}

std::string Fields::Path(const std::string& name) const {
  if (name.empty()) return path_;
  return path_.empty() ? name : path_ + "." + name;
}

Location Fields::Where(const std::string& name) const {
  const Value* value = value_->Find(name);
  if (value == nullptr) value = value_;
  return {reader_->document_.file, value->line, value->column};
}

bool Fields::Has(const std::string& name) const { return value_->Find(name) != nullptr; }

std::string Fields::Text(const std::string& name) {
  const Value* value = Take(name, false);
  return value == nullptr ? "" : value->scalar;
}

std::vector<std::string> Fields::Names() const {
  std::vector<std::string> names;
  for (const auto& [key, value] : value_->members) names.push_back(key);
  return names;
}

void Fields::Note(const std::string& name, const std::string& message) {
  const Value* at = name.empty() ? value_ : value_->Find(name);
  reader_->Note(at == nullptr ? value_ : at, Path(name), message);
}

void Fields::IgnoreOthers() {
  for (const auto& [key, value] : value_->members) taken_->insert(key);
}

const Value* Fields::Take(const std::string& name, bool required) {
  taken_->insert(name);
  const Value* value = value_->Find(name);
  if (value != nullptr && value->kind == Value::Kind::kNull) value = nullptr;
  if (value == nullptr && required) Note(name, "is missing");
  return value;
}

const Value* Fields::TakeScalar(const std::string& name, bool required) {
  const Value* value = Take(name, required);
  if (value == nullptr || value->kind == Value::Kind::kScalar) return value;
  Note(name, fmt::format("is {}; expected a single value", KindName(*value)));
  return nullptr;
}

std::string Fields::String(const std::string& name, std::optional<std::string> fallback) {
  const Value* value = TakeScalar(name, !fallback);
  return value == nullptr ? fallback.value_or("") : value->scalar;
}

std::string Fields::Choice(const std::string& name, const std::vector<std::string>& choices,
                           std::optional<std::string> fallback) {
  const Value* value = TakeScalar(name, !fallback);
  if (value == nullptr) return fallback.value_or(choices.front());
  if (std::find(choices.begin(), choices.end(), value->scalar) != choices.end()) {
    return value->scalar;
  }
  Note(name, fmt::format("'{}' is not known here{}", value->scalar.substr(0, 80),
                         Suggestion(value->scalar, choices)));
  return choices.front();
}

bool Fields::Boolean(const std::string& name, std::optional<bool> fallback) {
  const Value* value = TakeScalar(name, !fallback);
  if (value == nullptr) return fallback.value_or(false);
  if (value->scalar == "true") return true;
  if (value->scalar == "false") return false;
  Note(name, fmt::format("'{}': expected true or false", value->scalar.substr(0, 80)));
  return false;
}

double Fields::Number(const std::string& name, double least, double most,
                      std::optional<double> fallback) {
  const Value* value = TakeScalar(name, !fallback);
  if (value == nullptr) return fallback.value_or(least);
  auto number = ParseNumber(value->scalar);
  if (!number || *number < least || *number > most) {
    Note(name, fmt::format("'{}': expected a number from {:g} to {:g}", value->scalar.substr(0, 80),
                           least, most));
    return fallback.value_or(least);
  }
  return *number;
}

int64_t Fields::Integer(const std::string& name, int64_t least, int64_t most,
                        std::optional<int64_t> fallback) {
  const Value* value = TakeScalar(name, !fallback);
  if (value == nullptr) return fallback.value_or(least);
  const std::optional<int64_t> number = WholeNumber(value->scalar);
  if (!number || *number < least || *number > most) {
    Note(name, fmt::format("'{}': expected a whole number from {} to {}",
                           value->scalar.substr(0, 80), least, most));
    return fallback.value_or(least);
  }
  return *number;
}

template <class T, class Parse>
T Fields::Quantity(const std::string& name, std::optional<T> fallback, Parse parse) {
  const Value* value = TakeScalar(name, !fallback);
  if (value == nullptr) return fallback.value_or(T());
  Result<T> quantity = parse(value->scalar);
  if (quantity) return *quantity;
  Note(name, quantity.error().message);
  return fallback.value_or(T());
}

Duration Fields::GetDuration(const std::string& name, std::optional<Duration> fallback) {
  return Quantity<Duration>(name, fallback, ParseDuration);
}
Bytes Fields::GetBytes(const std::string& name, std::optional<Bytes> fallback) {
  return Quantity<Bytes>(name, fallback, ParseBytes);
}
Bandwidth Fields::GetBandwidth(const std::string& name, std::optional<Bandwidth> fallback) {
  return Quantity<Bandwidth>(name, fallback, ParseBandwidth);
}
FlopRate Fields::GetFlopRate(const std::string& name, std::optional<FlopRate> fallback) {
  return Quantity<FlopRate>(name, fallback, ParseFlopRate);
}

Fields Fields::OptionalObject(const std::string& name) {
  const Value* value = Take(name, false);
  if (value != nullptr && value->kind != Value::Kind::kMapping) {
    Note(name, fmt::format("is {}; expected a mapping", KindName(*value)));
    value = nullptr;
  }
  return Fields(reader_, value == nullptr ? &reader_->empty_ : value, Path(name));
}

Fields Fields::Object(const std::string& name) {
  Take(name, true);
  return OptionalObject(name);
}

std::vector<Fields> Fields::Objects(const std::string& name) {
  std::vector<Fields> objects;
  const Value* value = Take(name, true);
  if (value == nullptr) return objects;
  if (value->kind != Value::Kind::kSequence) {
    Note(name, fmt::format("is {}; expected a list of mappings", KindName(*value)));
    return objects;
  }
  for (size_t i = 0; i < value->items.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", Path(name), i);
    if (value->items[i].kind != Value::Kind::kMapping) {
      reader_->Note(&value->items[i], path, "expected a mapping");
      continue;
    }
    objects.push_back(Fields(reader_, &value->items[i], path));
  }
  return objects;
}

std::vector<std::string> Fields::Strings(const std::string& name) {
  std::vector<std::string> strings;
  const Value* value = Take(name, true);
  if (value == nullptr) return strings;
  if (value->kind != Value::Kind::kSequence) {
    Note(name, fmt::format("is {}; expected a list", KindName(*value)));
    return strings;
  }
  for (size_t i = 0; i < value->items.size(); ++i) {
    if (value->items[i].kind == Value::Kind::kScalar) {
      strings.push_back(value->items[i].scalar);
    } else {
      reader_->Note(&value->items[i], fmt::format("{}[{}]", Path(name), i),
                    "expected a single value");
    }
  }
  return strings;
}

Reader::Reader(const Document& document) : document_(document) {
  empty_.kind = Value::Kind::kMapping;
}

Fields Reader::Root() {
  const Value* root = &document_.root;
  if (root->kind != Value::Kind::kMapping) {
    Note(root, "", fmt::format("the file holds {}; expected a mapping", KindName(*root)));
    root = &empty_;
  }
  return Fields(this, root, "");
}

void Reader::Note(const Value* at, const std::string& path, const std::string& message) {
  if (first_) return;
  first_ = Error{message, {document_.file, at->line, at->column}, path};
}

Status Reader::Finish() {
  for (const Seen& seen : seen_) {
    for (const auto& [key, value] : seen.value->members) {
      if (seen.taken->contains(key)) continue;
      // A name read as an optional object twice is seen twice: any reader of it will do.
      const auto reads_it = [&, &name = key](const Seen& other) {
        return other.value == seen.value && other.taken->contains(name);
      };
      const bool read_elsewhere = std::any_of(seen_.begin(), seen_.end(), reads_it);
      if (read_elsewhere) continue;
      return Fail(Error{"unknown name" + SuggestField(key, *seen.taken, *seen.value),
                        {document_.file, value.line, value.column},
                        seen.path.empty() ? key : seen.path + "." + key});
    }
  }
  if (first_) return Fail(*first_);
  return {};
}

}  // namespace pipescope
