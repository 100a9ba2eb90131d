// The switches of an explicit fabric as topology files write them; see load.h.
#include "topology/explicit_file.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

#include "sim/base/names.h"
#include "topology/check.h"

namespace pipescope::topology {
namespace {

struct Range {
  int first = 0;
  int last = 0;
};

// "3" or "3-7".
std::optional<Range> ParseRange(std::string_view text, int most) {
  const auto whole = [most](std::string_view part) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    if (value < 0 || value >= most) return std::nullopt;
    return value;
  };
  const size_t dash = text.find('-');
  const auto first = whole(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : whole(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

void ReadNics(Fields& fields, std::vector<NicAt>& nics) {
  if (!fields.Has("nics")) return;
  for (const std::string& text : fields.Strings("nics")) {
    if (!ParseNics(text, nics)) {
      fields.Note("nics", fmt::format("'{}': expected node.nic such as \"3.0\", or ranges such as "
                                      "\"0-15.0\" or \"3.0-7\", in quotes",
                                      text.substr(0, 80)));
    }
  }
}

// "spine-1", "spine-1 x2", "spine-1 x2 at 200 Gbps": cuts the name off and returns the rest.
struct CableText {
  std::string name;
  int cables = 1;
  Bandwidth rate;
  bool good = true;
};

CableText ParseCable(std::string text) {
  CableText cable;
  const size_t at = text.rfind(" at ");
  if (at != std::string::npos) {
    auto rate = ParseBandwidth(text.substr(at + 4));
    cable.good = rate.has_value() && rate->value() > 0;
    if (rate) cable.rate = *rate;
    text.resize(at);
  }
  const size_t times = text.rfind(" x");
  if (times != std::string::npos) {
    const auto count = ParseRange(std::string_view(text).substr(times + 2), kMaxSwitchPorts + 1);
    if (count && count->first == count->last && count->first > 0) {
      cable.cables = count->first;
      text.resize(times);
    }
  }
  cable.name = text;
  return cable;
}

}  // namespace

bool ParseNics(const std::string& text, std::vector<NicAt>& nics) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos) return false;
  const auto nodes = ParseRange(std::string_view(text).substr(0, dot), kMaxNodes);
  const auto inside = ParseRange(std::string_view(text).substr(dot + 1), kMaxGpusPerNode);
  if (!nodes || !inside) return false;
  if (int64_t{nodes->last - nodes->first + 1} * (inside->last - inside->first + 1) > kMaxGpus) {
    return false;
  }
  for (int node = nodes->first; node <= nodes->last; ++node) {
    for (int nic = inside->first; nic <= inside->last; ++nic) nics.push_back({node, nic});
  }
  return nics.size() <= kMaxGpus;
}

void ReadCabled(Fields& fields, Fabric& fabric) {
  std::vector<Fields> items = fields.Objects("switches");
  if (items.size() > kMaxCabledSwitches) {
    fields.Note("switches", fmt::format("{} switches; at most {} are supported", items.size(),
                                        kMaxCabledSwitches));
    items.clear();
  }
  std::map<std::string, int> numbers;
  std::vector<std::string> names;
  for (Fields& item : items) {
    CabledSwitch made;
    made.name = item.String("name");
    const std::vector<std::string> levels = {"leaf", "spine", "core", "router"};
    const std::string level = item.Choice("level", levels);
    for (int i = 0; i < 4; ++i) {
      if (levels[static_cast<size_t>(i)] == level) made.level = static_cast<SwitchLevel>(i);
    }
    ReadNics(item, made.nics);
    if (!numbers.emplace(made.name, static_cast<int>(names.size())).second) {
      item.Note("name", fmt::format("'{}' is the name of another switch", made.name));
    }
    names.push_back(made.name);
    fabric.cabled.push_back(std::move(made));
  }
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].Has("cables")) continue;
    for (const std::string& text : items[i].Strings("cables")) {
      const CableText cable = ParseCable(text);
      const auto found = numbers.find(cable.name);
      if (!cable.good) {
        items[i].Note("cables", fmt::format("'{}': expected a rate such as 'at 200 Gbps'", text));
      } else if (found == numbers.end()) {
        items[i].Note("cables", fmt::format("'{}' is no switch{}", cable.name.substr(0, 80),
                                            Suggestion(cable.name, names)));
      } else {
        fabric.cabled[i].up.push_back({found->second, cable.cables, cable.rate});
      }
    }
  }
}

}  // namespace pipescope::topology
