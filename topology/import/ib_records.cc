#include "topology/import/ib_records.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "topology/import/sources.h"

namespace pipescope::topology {
namespace {

constexpr size_t kMostPorts = 2'000'000;

// A cursor over one line; each Take... moves on only where it finds what it looks for.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  void Blanks() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t'))
      rest_.remove_prefix(1);
  }
  bool Take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<int> Number() {
    int value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }
  // From an opening sign to its closing one.
  std::optional<std::string> Between(char open, char close) {
    if (rest_.empty() || rest_.front() != open) return std::nullopt;
    const size_t end = rest_.find(close, 1);
    if (end == std::string_view::npos) return std::nullopt;
    const auto inside = std::string(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return inside;
  }
  std::optional<int> PortNumber() {
    const auto inside = Between('[', ']');
    if (!inside) return std::nullopt;
    Scanner number(*inside);
    const auto value = number.Number();
    return value && number.rest_.empty() ? value : std::nullopt;
  }
  bool SkipTo(char sign) {
    const size_t at = rest_.find(sign);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at);
    return true;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// The last word of the form 4xNDR; nothing where there is none.
std::optional<Bandwidth> RateIn(std::string_view comment) {
  const std::pair<std::string_view, double> lanes[] = {{"SDR", 2},    {"DDR", 4},     {"QDR", 8},
                                                       {"FDR10", 10}, {"FDR", 13.64}, {"EDR", 25},
                                                       {"HDR", 50},   {"NDR", 100},   {"XDR", 200}};
  std::optional<Bandwidth> found;
  for (size_t at = 0; at < comment.size();) {
    size_t end = comment.find_first_of(" \t", at);
    if (end == std::string_view::npos) end = comment.size();
    const std::string_view word = comment.substr(at, end - at);
    at = end + 1;
    Scanner scanner(word);
    const auto count = scanner.Number();
    if (!count || *count < 1 || *count > 12 || !scanner.Take("x")) continue;
    for (const auto& [name, rate] : lanes) {
      if (scanner.rest() == name) found = Bandwidth(*count * rate * 1e9 / 8);
    }
  }
  return found;
}

class IbReader {
 public:
  explicit IbReader(const std::string& file) : file_(file) {}

  Result<std::vector<IbRecord>> Read(const std::string& text) {
    const std::vector<std::string> lines = CleanLines(text);
    for (size_t i = 0; i < lines.size() && !error_; ++i) {
      line_ = static_cast<int>(i) + 1;
      // Only the last line may lack its end, and then it was cut.
      ReadLine(lines[i]);
    }
    if (!error_ && records_.empty()) {
      line_ = 0;
      Wrong(
          "no switch: expected the output of ibnetdiscover, with lines such as Switch 65 "
          "\"S-...\"");
    }
    if (error_) return Fail(*error_);
    return std::move(records_);
  }

 private:
  void Wrong(const std::string& message) {
    if (!error_) error_ = Error{message, {file_, line_, 0}};
  }
  void ReadLine(const std::string& line) {
    Scanner scanner(line);
    scanner.Blanks();
    if (scanner.rest().empty() || scanner.rest().front() == '#') return;
    if (scanner.Take("Switch")) return ReadHead(scanner, true);
    if (scanner.Take("Ca") || scanner.Take("Rt")) {
      if (!scanner.rest().starts_with("\t") && !scanner.rest().starts_with(" ")) return Odd(line);
      return ReadHead(scanner, false);
    }
    if (scanner.rest().front() == '[') return ReadPort(scanner);
    for (std::string_view known : {"vendid=", "devid=", "sysimgguid=", "switchguid=", "caguid=",
                                   "rtguid=", "Chassis", "DR path"}) {
      if (scanner.Take(known)) return;
    }
    Odd(line);
  }
  void Odd(const std::string& line) {
    Wrong(fmt::format("'{}' is no line of ibnetdiscover", line.substr(0, 60)));
  }
  void ReadHead(Scanner scanner, bool is_switch) {
    scanner.Blanks();
    const auto ports = scanner.Number();
    scanner.Blanks();
    const auto id = scanner.Between('"', '"');
    if (!ports || !id || id->size() < 3 || (*id)[1] != '-') {
      return Wrong(fmt::format("expected {} <ports> \"<id>\"", is_switch ? "Switch" : "Ca"));
    }
    IbRecord record = {*id, "", is_switch, {}, line_};
    if (!scanner.SkipTo('#') || !scanner.SkipTo('"'))
      return Wrong("expected # \"name\" at the end");
    const auto name = scanner.Between('"', '"');
    if (!name) return Wrong("the name has no end");
    record.name = *name;
    records_.push_back(std::move(record));
  }
  void ReadPort(Scanner scanner) {
    if (records_.empty()) return Wrong("a port before any Switch or Ca");
    IbPort port;
    port.line = line_;
    const auto number = scanner.PortNumber();
    scanner.Between('[', ']');  // [ext 2]
    scanner.Between('(', ')');  // the port's guid, of a Ca
    scanner.Blanks();
    const auto peer = scanner.Between('"', '"');
    const auto peer_port = scanner.PortNumber();
    const bool commented = scanner.SkipTo('#');
    const auto rate = RateIn(scanner.rest());
    if (!number || !peer || peer->empty() || !peer_port || !commented) {
      return Wrong("expected [port] \"peer\"[port] # ... such as 4xNDR");
    }
    if (!rate) return Wrong("the port's rate is missing; expected such as 4xNDR at the end");
    port.port = *number;
    port.peer = *peer;
    port.peer_port = *peer_port;
    port.rate = *rate;
    if (++ports_ > kMostPorts) return Wrong("more than 2000000 ports");
    records_.back().ports.push_back(std::move(port));
  }

  std::string file_;
  std::optional<Error> error_;
  std::vector<IbRecord> records_;
  size_t ports_ = 0;
  int line_ = 0;
};

}  // namespace

Result<std::vector<IbRecord>> ReadIbRecords(const std::string& text, const std::string& file) {
  return IbReader(file).Read(text);
}

}  // namespace pipescope::topology
