// Costs out of a text or a file, of costs.h.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "schedules/costs.h"
#include "sim/base/document.h"
#include "sim/base/names.h"
#include "sim/base/quantity.h"

namespace pipescope::schedules {
namespace {

const std::array<std::string, 6>& Names() {
  static const std::array<std::string, 6> kNames = {"F", "I", "W", "B", "FB", "comm"};
  return kNames;
}

CostList* ListOf(Costs& costs, std::string_view name) {
  if (name == "F") return &costs.forward;
  if (name == "I") return &costs.input_grad;
  if (name == "W") return &costs.weight_grad;
  if (name == "B") return &costs.backward;
  if (name == "FB") return &costs.overlapped;
  return nullptr;
}

Result<double> ParseCost(std::string_view text) {
  auto number = ParseNumber(text);
  if (number && *number >= 0 && *number <= kLargestCost) return number;
  return Fail(
      fmt::format("'{}': expected a number from 0 to {:g}", text.substr(0, 40), kLargestCost));
}

Status SetCost(Costs& costs, const std::string& name, CostList values) {
  if (name == "comm") {
    if (values.size() != 1) return Fail("expected one number, not a list");
    costs.comm = values.front();
    return {};
  }
  CostList* list = ListOf(costs, name);
  if (list == nullptr) return Fail("unknown cost" + Suggestion(name, Names()));
  *list = std::move(values);
  return {};
}

Result<Costs> ParseInline(const std::string& text) {
  Costs costs;
  std::vector<std::string> seen;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const size_t equals = part.find('=');
    const std::string name(part.substr(0, equals));
    const Error place{"", {}, "--cost " + name.substr(0, 40)};
    if (equals == part.npos) {
      return Fail(Error{"expected NAME=NUMBER, such as F=1", place.where, place.field});
    }
    for (const std::string& other : seen) {
      if (other == name) return Fail(Error{"is given twice", place.where, place.field});
    }
    seen.push_back(name);
    auto number = ParseCost(part.substr(equals + 1));
    if (!number) return Fail(Error{number.error().message, place.where, place.field});
    if (auto set = SetCost(costs, name, {*number}); !set) {
      return Fail(Error{set.error().message, place.where, place.field});
    }
  }
  return costs;
}

Result<CostList> ParseList(const Value& value) {
  CostList list;
  const auto add = [&](const Value& item) -> Status {
    if (item.kind != Value::Kind::kScalar || item.quoted) return Fail("expected a number");
    auto number = ParseCost(item.scalar);
    if (!number) return Fail(number.error());
    list.push_back(*number);
    return {};
  };
  if (value.kind == Value::Kind::kSequence && !value.items.empty()) {
    for (const Value& item : value.items) {
      if (auto ok = add(item); !ok) return Fail(ok.error());
    }
  } else if (auto ok = add(value); !ok) {
    return Fail("expected a number, or a list with one a stage");
  }
  return list;
}

Result<Costs> LoadCosts(const std::string& path) {
  auto document = LoadDocument(path);
  if (!document) return Fail(document.error());
  if (document->root.kind != Value::Kind::kMapping) {
    return Fail(Error{"expected a mapping with F, I, W, B, FB and comm", {path}});
  }
  Costs costs;
  for (const auto& [name, value] : document->root.members) {
    const Location where{path, value.line, value.column};
    auto list = ParseList(value);
    if (!list) return Fail(Error{list.error().message, where, name});
    if (auto set = SetCost(costs, name, std::move(*list)); !set) {
      return Fail(Error{set.error().message, where, name});
    }
  }
  return costs;
}

}  // namespace

Result<Costs> ReadCosts(const std::string& text_or_path) {
  if (text_or_path.empty()) return Fail("--cost: is empty; expected F=1,I=1,W=1 or a file");
  if (text_or_path.find('=') != std::string::npos) return ParseInline(text_or_path);
  return LoadCosts(text_or_path);
}

}  // namespace pipescope::schedules
