// Torus: a switch at every point of a grid of 1 to 4 dimensions, joined to its two neighbours along
// each, the ends to each other. Two switches of a dimension of 2 meet over both their cables.
//
//   path    along one dimension after the other, the shorter way round; any order of the dimensions
//           and, where both ways round are as long, either way, is as short
//   cut     2 * parallel_cables * switches / n through the widest dimension n
//
// Example: 4 x 4 x 4 with one NIC a switch: 64 switches, 192 cables, 32 of which cross a cut; from
// (0,0,0) to (2,1,0) 2 orders and 2 ways round are 4 paths.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "topology/check.h"
#include "topology/fabric.h"

namespace pipescope::topology {
namespace {

int64_t SwitchesOf(const Fabric& fabric) {
  int64_t product = 1;
  for (int size : fabric.dimensions) product *= size;
  return product;
}

class Torus : public FabricLayout {
 public:
  explicit Torus(const Cluster& cluster)
      : sizes_(cluster.fabric.dimensions),
        switches_(static_cast<int>(SwitchesOf(cluster.fabric))),
        cables_(cluster.fabric.parallel_cables),
        nics_(cluster.node.nics),
        switch_nics_(cluster.fabric.switch_nics) {
    const int widest = *std::max_element(sizes_.begin(), sizes_.end());
    cut_ = cluster.node.nic * (widest == 1 ? 0.0 : 2.0 * cables_ * switches_ / widest);
    if (widest == 1) cut_ = cluster.node.nic * static_cast<double>(switch_nics_);
  }

  int switches() const override { return switches_; }
  SwitchLevel LevelOf(int) const override { return SwitchLevel::kRouter; }
  void ForEachLink(const std::function<void(const SwitchLink&)>& visit) const override {
    for (int number = 0; number < switches_; ++number) {
      for (size_t d = 0; d < sizes_.size(); ++d) {
        const int next = Moved(number, d, 1);
        if (next == number) continue;
        if (sizes_[d] == 2 && next < number) continue;
        visit({number, next, sizes_[d] == 2 ? 2 * cables_ : cables_, CableKind::kLocal, {}});
      }
    }
  }
  int SwitchOf(NicAt at) const override { return (at.node * nics_ + at.nic) / switch_nics_; }
  bool Joined(NicAt, NicAt) const override { return true; }
  bool Direct() const override { return true; }
  int64_t PathCount(NicAt from, NicAt to) const override {
    return CountOf(MovesOf(SwitchOf(from), SwitchOf(to)));
  }
  std::vector<int> Path(NicAt from, NicAt to, int64_t key) const override {
    std::vector<Move> moves = MovesOf(SwitchOf(from), SwitchOf(to));
    int64_t left = key % CountOf(moves);
    for (Move& move : moves) {
      if (!move.either_way) continue;
      if (left % 2 == 1) move.step = -move.step;
      left /= 2;
    }
    std::vector<int> path = {SwitchOf(from)};
    while (!moves.empty()) {  // the order of the dimensions: digit by digit, in mixed radix
      const auto pick = left % static_cast<int64_t>(moves.size());
      left /= static_cast<int64_t>(moves.size());
      const Move move = moves[static_cast<size_t>(pick)];
      moves.erase(moves.begin() + pick);
      for (int i = 0; i < move.steps; ++i) {
        path.push_back(Moved(path.back(), move.dimension, move.step));
      }
    }
    return path;
  }
  // Always 0 but for the way round: dimensions in order, as torus machines route.
  int64_t DestinationKey(NicAt) const override { return 0; }
  std::optional<Bandwidth> Cut() const override { return cut_; }
  std::string NameOf(int number) const override {
    std::string text;
    for (int at : Place(number)) text += (text.empty() ? "" : ",") + std::to_string(at);
    return "router " + text;
  }

 private:
  struct Move {
    size_t dimension;
    int step;  // +1 or -1
    int steps;
    bool either_way;  // as far the other way round
  };

  // Coordinates; the last dimension counts fastest.
  std::vector<int> Place(int number) const {
    std::vector<int> place(sizes_.size());
    for (size_t d = sizes_.size(); d-- > 0; number /= sizes_[d]) place[d] = number % sizes_[d];
    return place;
  }
  int Moved(int number, size_t dimension, int step) const {
    int stride = 1;
    for (size_t d = dimension + 1; d < sizes_.size(); ++d) stride *= sizes_[d];
    const int size = sizes_[dimension];
    const int at = number / stride % size;
    return number + ((at + step + size) % size - at) * stride;
  }
  std::vector<Move> MovesOf(int from, int to) const {
    const auto a = Place(from);
    const auto b = Place(to);
    std::vector<Move> moves;
    for (size_t d = 0; d < sizes_.size(); ++d) {
      const int ahead = (b[d] - a[d] + sizes_[d]) % sizes_[d];
      if (ahead == 0) continue;
      const bool onward = 2 * ahead <= sizes_[d];
      // In a dimension of 2 both ways are the same link.
      const bool either = 2 * ahead == sizes_[d] && sizes_[d] > 2;
      moves.push_back({d, onward ? 1 : -1, onward ? ahead : sizes_[d] - ahead, either});
    }
    return moves;
  }
  static int64_t CountOf(const std::vector<Move>& moves) {
    int64_t count = 1;
    for (size_t i = 0; i < moves.size(); ++i) {
      count *= static_cast<int64_t>(i + 1) * (moves[i].either_way ? 2 : 1);
    }
    return count;
  }

  std::vector<int> sizes_;
  int switches_;
  int cables_;
  int nics_;
  int switch_nics_;
  Bandwidth cut_;
};

void Read(Fields& fields, Fabric& fabric) {
  for (const std::string& text : fields.Strings("dimensions")) {
    const auto number = ParseNumber(text);
    if (!number || *number < 1 || *number > kMaxSwitches || *number != std::floor(*number)) {
      fields.Note("dimensions", fmt::format("'{}': expected whole numbers such as [4, 4, 4]",
                                            text.substr(0, 80)));
      return;
    }
    fabric.dimensions.push_back(static_cast<int>(*number));
  }
  fabric.switch_nics = static_cast<int>(fields.Integer("switch_nics", 1, kMaxSwitchPorts));
  fabric.parallel_cables =
      static_cast<int>(fields.Integer("parallel_cables", 1, kMaxSwitchPorts, 1));
}

Status Check(const Cluster& cluster) {
  const Fabric& fabric = cluster.fabric;
  const auto wrong = [](std::string message) {
    return Fail(Error{std::move(message), {}, "fabric.dimensions"});
  };
  if (fabric.dimensions.empty() || fabric.dimensions.size() > 4) {
    return wrong(fmt::format("{} dimensions; expected from 1 to 4", fabric.dimensions.size()));
  }
  int64_t switches = 1;
  for (int size : fabric.dimensions) {
    switches = size < 1 ? 0 : std::min<int64_t>(switches * size, int64_t{1} << 40);
  }
  if (switches < 1 || switches > kMaxSwitches) {
    return wrong(fmt::format("{} switches; at most {} are supported", switches, kMaxSwitches));
  }
  return CheckRoom(cluster, switches);
}

std::unique_ptr<FabricLayout> Make(const Cluster& cluster) {
  return std::make_unique<Torus>(cluster);
}

}  // namespace

const FabricEntry kTorusFabric = {
    FabricKind::kTorus, "torus", "a grid of switches, its ends joined", Read, Check, Make};

}  // namespace pipescope::topology
