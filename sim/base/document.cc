#include "sim/base/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
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
  }

  // Containers stay where they are while open: only the innermost grows.
  Value& Add(Value::Kind kind, const YAML::Mark& mark) {
    if (++count_ > kMaxValues) Refuse(mark, "more than a million values");
    if (WantsKey()) Refuse(mark, "expected a plain key");
    Value* value = &root_;
    if (!open_.empty()) {
      Container& top = open_.back();
      if (top.value->kind == Value::Kind::kMapping) {
        value = &top.value->members.back().second;
        top.has_key = false;
      } else {
        value = &top.value->items.emplace_back();
      }
    }
    value->kind = kind;
    value->line = mark.line + 1;
    value->column = mark.column + 1;
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

// Bounds the parser's own recursion before it starts: flow brackets outside of quotes and comments.
Status CheckBracketDepth(const std::string& text, const std::string& file) {
  int line = 1;
  size_t depth = 0;
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
    } else if (c == '"' || (c == '\'' && (i == 0 || !std::isalnum(text[i - 1])))) {
      quote = c;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return Fail(Error{"nested more than 64 levels deep", {file, line}});
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return {};
}

}  // namespace

const Value* Value::Find(const std::string& name) const {
  for (const auto& [key, value] : members) {
    if (key == name) return &value;
  }
  return nullptr;
}

Result<Document> ParseDocument(const std::string& text, const std::string& file) {
  if (auto ok = CheckBracketDepth(text, file); !ok) return Fail(ok.error());
  TreeBuilder builder(file);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return Fail(Error{"is empty", {file}});
    TreeBuilder rest(file);
    if (parser.HandleNextDocument(rest)) {
      return Fail(Error{"holds more than one document; expected one", {file}});
    }
  } catch (const Refused& refused) {
    return Fail(refused.error);
  } catch (const YAML::Exception& e) {
    return Fail(
        Error{"not valid YAML or JSON: " + e.msg, {file, e.mark.line + 1, e.mark.column + 1}});
  } catch (const std::exception& e) {
    return Fail(Error{std::string("not valid YAML or JSON: ") + e.what(), {file}});
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
  const auto fail = [&](const std::string& message) { return Fail(Error{message, {origin}}); };
  Value* at = &document.root;
  std::istringstream parts(path);
  for (std::string part; std::getline(parts, part, '.');) {
    const size_t bracket = part.find('[');
    const std::string name = part.substr(0, bracket);
    if (name.empty()) return fail("expected a path such as communication.sms");
    if (at->kind == Value::Kind::kNull) at->kind = Value::Kind::kMapping;
    if (at->kind != Value::Kind::kMapping) return fail("'" + name + "' is not inside a mapping");
    Value* next = const_cast<Value*>(at->Find(name));
    if (next == nullptr) next = &at->members.emplace_back(name, Value{}).second;
    at = next;
    if (bracket == std::string::npos) continue;
    size_t index = 0;
    char close = 0;
    if (!(std::istringstream(part.substr(bracket + 1)) >> index >> close) || close != ']' ||
        at->kind != Value::Kind::kSequence || index >= at->items.size()) {
      return fail("'" + part + "' does not name an item of a sequence");
    }
    at = &at->items[index];
  }
  *at = std::move(parsed->root);
  return {};
}

}  // namespace pipescope
