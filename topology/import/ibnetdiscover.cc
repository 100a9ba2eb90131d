// A network out of ibnetdiscover's records (ib_records.h).
//
//   cables    each is written at both ends: the one with (id, port) ascending counts, and both must
//             agree. Cables of one rate between two switches become one line, "x2"
//   hosts     adapters by the first word of their name; which NIC of a host it is follows from the
//             last (mlx5_4, HCA-5) among all that hosts of the same naming have
//   left out  SHARP's aggregation nodes; adapters that have no host's name; hosts with less than
//             half of the others' NICs, or half of 4 or more (storage, management)
//   levels    leaf: has a host; spine: next to a leaf; core: the others
//
// A file that was cut short names nodes that have no record of their own, which is an error.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>

#include "topology/import/ib_records.h"
#include "topology/import/sources.h"

namespace pipescope::topology {
namespace {

struct Adapter {
  std::string scheme;  // "mlx5_" of mlx5_4
  int number = 0;
  int port = 0;
  std::string leaf;
  Bandwidth rate;

  auto Place() const { return std::tuple(scheme, number, port); }
};

// "a08-dgx-04 mlx5_5" is host a08-dgx-04; the makers' default names tell none.
std::optional<std::string> HostOf(const std::string& name) {
  for (const char* word : {"Mellanox Technologies", "ConnectX", "Aggregation Node", "NVIDIA"}) {
    if (name.find(word) != std::string::npos) return std::nullopt;
  }
  const std::string host = name.substr(0, name.find(' '));
  if (host.empty()) return std::nullopt;
  return host;
}

// "MF0;A09-LEAF-04:MQM9701/U1" is A09-LEAF-04.
std::string SwitchName(const IbRecord& record) {
  const size_t semicolon = record.name.find(';');
  if (semicolon == std::string::npos) return record.name;
  const size_t colon = record.name.find(':', semicolon);
  return record.name.substr(semicolon + 1,
                            colon == std::string::npos ? colon : colon - semicolon - 1);
}

class Network {
 public:
  Network(std::vector<IbRecord> records, const std::string& file)
      : records_(std::move(records)), file_(file) {}

  Result<SourceFabric> Read() {
    for (const IbRecord& record : records_) {
      if (!by_id_.emplace(record.id, &record).second) {
        return At(record.line, fmt::format("a second record of {}", record.id));
      }
    }
    if (auto ok = CheckBothEnds(); !ok) return Fail(ok.error());
    GatherHosts();
    if (hosts_.empty()) return At(0, "no adapter is named after a host");
    PlaceNics();
    MakeSwitches();
    return std::move(fabric_);
  }

 private:
  tl::unexpected<Error> At(int line, std::string message) const {
    return Fail(Error{std::move(message), {file_, line, 0}});
  }
  Status CheckBothEnds() {
    for (const IbRecord& record : records_) {
      for (const IbPort& port : record.ports) {
        const auto peer = by_id_.find(port.peer);
        if (peer == by_id_.end()) {
          return At(port.line,
                    fmt::format("{} has no record of its own: the file is not whole", port.peer));
        }
        const auto& ports = peer->second->ports;
        const auto back = std::find_if(ports.begin(), ports.end(), [&](const IbPort& other) {
          return other.port == port.peer_port && other.peer == record.id &&
                 other.peer_port == port.port;
        });
        if (back == ports.end()) {
          return At(port.line, fmt::format("port {} of {} does not say that it is joined to port "
                                           "{} of {}: the file is not whole",
                                           port.peer_port, port.peer, port.port, record.id));
        }
      }
    }
    return {};
  }
  void GatherHosts() {
    int sharp = 0;
    int nameless = 0;
    for (const IbRecord& record : records_) {
      if (record.is_switch || record.ports.empty()) continue;
      const auto host = HostOf(record.name);
      if (record.name.find("Aggregation Node") != std::string::npos) {
        ++sharp;
      } else if (!host) {
        ++nameless;
      } else {
        Gather(*host, record);
      }
    }
    if (sharp > 0) Note(fmt::format("{} aggregation nodes of SHARP are left out", sharp));
    if (nameless > 0) {
      Note(fmt::format("{} adapters are left out: their names do not tell the host", nameless));
    }
    for (const auto& [host, adapters] : hosts_) {
      fabric_.nics = std::max(fabric_.nics, static_cast<int>(adapters.size()));
    }
    std::vector<std::string> small;
    for (const auto& [host, adapters] : hosts_) {
      const int twice = 2 * static_cast<int>(adapters.size());
      const bool half = fabric_.nics >= 4 && twice == fabric_.nics;
      if (half || twice < fabric_.nics) small.push_back(host);
    }
    for (const std::string& host : small) {
      Note(fmt::format("host {} is left out: {} of {} NICs", host, hosts_[host].size(),
                       fabric_.nics));
      hosts_.erase(host);
    }
  }
  void Gather(const std::string& host, const IbRecord& record) {
    const size_t blank = record.name.rfind(' ');
    std::string device = blank == std::string::npos ? "" : record.name.substr(blank + 1);
    size_t digits = device.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(device[digits - 1]))) --digits;
    int number = 0;
    for (size_t i = std::max(digits, device.size() < 6 ? 0 : device.size() - 6); i < device.size();
         ++i) {
      if (std::isdigit(static_cast<unsigned char>(device[i])))
        number = number * 10 + (device[i] - '0');
    }
    for (const IbPort& port : record.ports) {
      if (!by_id_[port.peer]->is_switch) continue;
      hosts_[host].push_back({device.substr(0, digits), number, port.port, port.peer, port.rate});
    }
    if (hosts_[host].empty()) hosts_.erase(host);
  }

  // A host that lacks a NIC keeps the numbers of the others.
  void PlaceNics() {
    std::map<std::string, std::set<std::pair<int, int>>> schemes;
    for (const auto& [host, adapters] : hosts_) {
      for (const Adapter& a : adapters) schemes[a.scheme].insert({a.number, a.port});
    }
    std::map<double, int> rates;
    int missing = 0;
    for (auto& [host, adapters] : hosts_) {
      std::sort(adapters.begin(), adapters.end(),
                [](const Adapter& a, const Adapter& b) { return a.Place() < b.Place(); });
      const auto& all = schemes[adapters.front().scheme];
      const bool alike =
          std::ssize(all) == fabric_.nics && adapters.front().scheme == adapters.back().scheme;
      const int node = static_cast<int>(fabric_.hosts.size());
      fabric_.hosts.push_back(host);
      missing += fabric_.nics - static_cast<int>(adapters.size());
      for (size_t i = 0; i < adapters.size(); ++i) {
        const Adapter& a = adapters[i];
        const auto rank = alike ? std::distance(all.begin(), all.find({a.number, a.port}))
                                : static_cast<std::ptrdiff_t>(i);
        const NicAt at = {node, static_cast<int>(rank)};
        plugged_[a.leaf].push_back(at);
        rates_[at] = a.rate;
        fabric_.nic = std::max(fabric_.nic, a.rate);
      }
    }
    for (const auto& [at, rate] : rates_) {
      if (rate < fabric_.nic) fabric_.slow.push_back({at, rate});
    }
    if (missing > 0) {
      Note(
          fmt::format("{} NICs are not plugged in, or have no host's name: their GPUs use the "
                      "others of the node",
                      missing));
    }
  }

  void MakeSwitches() {
    std::map<std::string, int> uses;
    std::vector<const IbRecord*> switches;
    for (const IbRecord& record : records_) {
      if (!record.is_switch) continue;
      switches.push_back(&record);
      ++uses[SwitchName(record)];
    }
    const auto name = [&](const IbRecord* record) {
      const std::string short_name = SwitchName(*record);
      return uses[short_name] == 1 && !short_name.empty() ? short_name : record->id;
    };
    std::sort(switches.begin(), switches.end(), [&](const IbRecord* a, const IbRecord* b) {
      return std::pair(RankOf(*a), name(a)) < std::pair(RankOf(*b), name(b));
    });
    std::map<std::string, int> numbers;
    for (size_t i = 0; i < switches.size(); ++i) numbers[switches[i]->id] = static_cast<int>(i);
    for (const IbRecord* record : switches) {
      CabledSwitch made;
      made.name = name(record);
      made.level = static_cast<SwitchLevel>(RankOf(*record));
      made.nics = plugged_[record->id];
      std::map<std::pair<int, double>, int> cables;
      for (const IbPort& port : record->ports) {
        const auto peer = numbers.find(port.peer);
        if (peer == numbers.end() || peer->second <= numbers[record->id]) continue;
        ++cables[{peer->second, port.rate.value()}];
      }
      for (const auto& [cable, count] : cables) {
        const Bandwidth rate(cable.second);
        made.up.push_back({cable.first, count, rate == fabric_.nic ? Bandwidth() : rate});
      }
      fabric_.switches.push_back(std::move(made));
    }
  }
  // 0: has a host; 1: next to such a one; 2: else.
  int RankOf(const IbRecord& record) const {
    const auto has_host = [&](const std::string& id) { return plugged_.contains(id); };
    if (has_host(record.id)) return 0;
    const bool next = std::any_of(record.ports.begin(), record.ports.end(),
                                  [&](const IbPort& port) { return has_host(port.peer); });
    return next ? 1 : 2;
  }
  void Note(std::string text) { fabric_.notes.push_back(std::move(text)); }

  std::vector<IbRecord> records_;
  std::string file_;
  std::map<std::string, const IbRecord*> by_id_;
  std::map<std::string, std::vector<Adapter>> hosts_;
  std::map<std::string, std::vector<NicAt>> plugged_;  // by switch
  std::map<NicAt, Bandwidth> rates_;
  SourceFabric fabric_;
};

}  // namespace

Result<SourceFabric> ReadIbNetDiscover(const std::string& text, const std::string& file) {
  auto records = ReadIbRecords(text, file);
  if (!records) return Fail(records.error());
  return Network(std::move(*records), file).Read();
}

}  // namespace pipescope::topology
