#include "sim/base/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <sstream>

#include "sim/base/file.h"

namespace pipescope {
namespace {

constexpr size_t kMaxValues = 1'000'000;
constexpr size_t kMaxDepth = 64;

// Thrown inside this file only: yaml-cpp's handlers have no other way to stop the parser.
struct Refused {
  Error error;
};

// Builds the tree out of the parser's events; the stack holds the containers still open.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  Value TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark&, const std::string&) override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { Add(Value::Kind::kNull, mark); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    Refuse(mark, "aliases ('*name') are not allowed; write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    if (WantsKey()) return AddKey(mark, text);
    const bool quoted = tag == "!";
    const bool null = !quoted && (text.empty() || text == "~" || text == "null");
    Value& value = Add(null ? Value::Kind::kNull : Value::Kind::kScalar, mark);
    value.scalar = text;
    value.quoted = quoted;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Open(Value::Kind::kSequence, mark);
  }
  void OnSequenceEnd() override { open_.pop_back(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Open(Value::Kind::kMapping, mark);
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Container {
    Value* value;
    bool has_key = false;
    YAML::Mark key = {};
    std::set<std::string> keys = {};
  };

  [[noreturn]] void Refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{{std::move(message), {file_, mark.line + 1, mark.column + 1}}};
  }

  bool WantsKey() const {
    return !open_.empty() && open_.back().value->kind == Value::Kind::kMapping &&
           !open_.back().has_key;
  }

  void AddKey(const YAML::Mark& mark, const std::string& key) {
    Container& top = open_.back();
    if (!top.keys.insert(key).second) Refuse(mark, "key '" + key + "' is given twice");
    top.value->members.emplace_back(key, Value{});
    top.has_key = true;
    top.key = mark;
  }

  // Containers stay where they are while open: only the innermost grows.
  Value& Add(Value::Kind kind, const YAML::Mark& mark) {
    if (++count_ > kMaxValues) Refuse(mark, "more than a million values");
    if (WantsKey()) Refuse(mark, "expected a plain key");
    Value* value = &root_;
    YAML::Mark place = mark;
    if (!open_.empty()) {
      Container& top = open_.back();
      if (top.value->kind == Value::Kind::kMapping) {
        value = &top.value->members.back().second;
        top.has_key = false;
        // The parser notices that a value is left out only at what follows.
        if (kind == Value::Kind::kNull) place = top.key;
      } else {
        value = &top.value->items.emplace_back();
      }
    }
    value->kind = kind;
    value->line = place.line + 1;
    value->column = place.column + 1;
    return *value;
  }

  void Open(Value::Kind kind, const YAML::Mark& mark) {
    if (open_.size() >= kMaxDepth) Refuse(mark, "nested more than 64 levels deep");
    open_.push_back({&Add(kind, mark)});
  }

  std::string file_;
  Value root_;
  std::vector<Container> open_;
  size_t count_ = 0;
};

// Looks at flow brackets outside of quotes and comments before the parser starts: bounds its
// recursion, and gives the line of the last bracket that is never closed, or 0. In plain text a
// bracket need not be closed, so that alone is no error.
Result<int> ScanBrackets(const std::string& text, const std::string& file) {
  int line = 1;
  std::vector<int> open;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (c == '\0') return Fail(Error{"holds a NUL byte; expected text", {file, line}});
    if (quote != 0) {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = 0;
    } else if (c == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n')) {
      while (i + 1 < text.size() && text[i + 1] != '\n') ++i;
    } else if (c == '"' ||
               (c == '\'' && (i == 0 || !std::isalnum(static_cast<unsigned char>(text[i - 1]))))) {
      quote = c;
    } else if (c == '[' || c == '{') {
      open.push_back(line);
      if (open.size() > kMaxDepth) {
        return Fail(Error{"nested more than 64 levels deep", {file, line}});
      }
    } else if ((c == ']' || c == '}') && !open.empty()) {
      open.pop_back();
    }
  }
  return open.empty() ? 0 : open.back();
}

// A step of a dotted path: a member's name, or an item's index.
struct PathStep {
  std::string name = {};
  bool is_index = false;
  size_t index = 0;
};

// "a.b[2][0]" -> a, b, 2, 0.
Result<std::vector<PathStep>> SplitPath(const std::string& path) {
  std::vector<PathStep> steps;
  const char* at = path.data();
  const char* const last = at + path.size();
  while (true) {
    const char* const end = std::find_if(at, last, [](char c) { return c == '.' || c == '['; });
    if (at == end) return Fail("expected a path such as communication.sms");
    steps.push_back({std::string(at, end)});
    at = end;
    while (at != last && *at == '[') {
      PathStep step = {{}, true, 0};
      const auto [digits, code] = std::from_chars(at + 1, last, step.index);
      if (code != std::errc() || digits == last || *digits != ']') {
        return Fail("expected an index such as stages[2]");
      }
      steps.push_back(step);
      at = digits + 1;
    }
    if (steps.size() > kMaxDepth) return Fail("nested more than 64 levels deep");
    if (at == last) return steps;
    if (*at++ != '.') return Fail("expected a path such as communication.sms");
  }
}

// `there` is nullptr below a member that is still to be made.
Status CheckStep(const Value* there, const PathStep& step) {
  if (step.is_index) {
    if (there != nullptr && there->kind == Value::Kind::kSequence &&
        step.index < there->items.size()) {
      return {};
    }
    return Fail("'[" + std::to_string(step.index) + "]' does not name an item of a sequence");
  }
  if (there == nullptr || there->kind == Value::Kind::kNull ||
      there->kind == Value::Kind::kMapping) {
    return {};
  }
  return Fail("'" + step.name + "' is not inside a mapping");
}

// A value that was set is in no file: its errors name the field alone, not a line of the file.
void ForgetPlaces(Value& value) {
  value.line = 0;
  value.column = 0;
  for (Value& item : value.items) ForgetPlaces(item);
  for (auto& [key, member] : value.members) ForgetPlaces(member);
}

}  // namespace

const Value* Value::Find(const std::string& name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Document> ParseDocument(const std::string& text, const std::string& file) {
  auto unclosed = ScanBrackets(text, file);
  if (!unclosed) return Fail(unclosed.error());
  // What the parser makes of a file that was cut off is rarely to the point.
  const std::string hint = *unclosed == 0 ? ""
                                          : "; the bracket opened on line " +
                                                std::to_string(*unclosed) + " is not closed";
  TreeBuilder builder(file);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Fail(Error{"is empty", {file}});
    TreeBuilder rest(file);
    if (parser.HandleNextDocument(rest)) {
      return Fail(Error{"holds more than one document; expected one" + hint, {file}});
    }
  } catch (const Refused& refused) {
    Error error = refused.error;
    error.message += hint;
    return Fail(error);
  } catch (const YAML::Exception& e) {
    return Fail(Error{"not valid YAML or JSON: " + e.msg + hint,
                      {file, e.mark.line + 1, e.mark.column + 1}});
  } catch (const std::exception& e) {
    return Fail(Error{std::string("not valid YAML or JSON: ") + e.what() + hint, {file}});
  }
  return Document{file, builder.TakeRoot()};
}

Result<Document> LoadDocument(const std::string& path, int64_t max_bytes) {
  auto text = ReadFile(path, max_bytes);
  if (!text) return Fail(text.error());
  return ParseDocument(*text, path);
}

Status SetValue(Document& document, const std::string& path, const std::string& text) {
  const std::string origin = "--set " + path + "=" + text;
  auto parsed = ParseDocument(text, origin);
  if (!parsed) return Fail(parsed.error());
  auto steps = SplitPath(path);
  if (!steps) return Fail(Error{steps.error().message, {origin}});
  // First a walk that changes nothing, so that a path that fails leaves the document alone.
  const Value* there = &document.root;
  for (const PathStep& step : *steps) {
    if (auto ok = CheckStep(there, step); !ok) return Fail(Error{ok.error().message, {origin}});
    if (there != nullptr)
      there = step.is_index ? &there->items[step.index] : there->Find(step.name);
  }
  Value* at = &document.root;
  for (const PathStep& step : *steps) {
    if (step.is_index) {
      at = &at->items[step.index];
      continue;
    }
    at->kind = Value::Kind::kMapping;
    Value* next = const_cast<Value*>(at->Find(step.name));
    at = next != nullptr ? next : &at->members.emplace_back(step.name, Value{}).second;
  }
  *at = std::move(parsed->root);
  ForgetPlaces(*at);
  return {};
}

}  // namespace pipescope
