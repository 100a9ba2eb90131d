#include "sim/collective/transfers.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/names.h"

namespace pipescope::collective {
namespace {

constexpr int64_t kMost = 4'000'000;

struct Entry {
  const char* pattern;
  std::vector<std::string> algorithms;
};

const std::vector<Entry>& Table() {
  static const std::vector<Entry> table = {
      {"p2p", {"direct"}},
      {"all-to-all", {"direct", "hierarchical"}},
      {"all-gather", {"ring", "direct"}},
      {"reduce-scatter", {"ring", "direct"}},
      {"all-reduce", {"ring", "tree", "direct"}},
  };
  return table;
}

using Numbers = std::vector<int32_t>;

class Builder {
 public:
  explicit Builder(const Collective& c) : c_(c) { made_.gpus = c.gpus; }

  Transfers Make() {
    if (c_.pattern == "p2p") {
      Add(0, c_.gpus - 1, c_.size, 0, {});
    } else if (c_.algorithm == "ring") {
      AddRings();
    } else if (c_.algorithm == "tree") {
      AddTrees();
    } else if (c_.algorithm == "hierarchical") {
      AddHierarchical();
    } else {
      AddDirect();
    }
    for (const Transfer& t : made_.all) made_.steps = std::max(made_.steps, t.step + 1);
    return std::move(made_);
  }

 private:
  int32_t Add(int src, int dst, Bytes bytes, int step, const Numbers& after) {
    made_.all.push_back({src, dst, step, bytes});
    made_.after.insert(made_.after.end(), after.begin(), after.end());
    made_.after_end.push_back(static_cast<int32_t>(made_.after.size()));
    return static_cast<int32_t>(made_.all.size()) - 1;
  }
  Bytes Part(int parts, int part) const {  // all parts add up to the size
    return Bytes(c_.size.value() * (part + 1) / parts - c_.size.value() * part / parts);
  }
  int RingGpu(int ring, int place) const {
    const int per_node = c_.gpus_per_node;
    const int node = place / per_node;
    const int local = ((ring - node + place % per_node) % per_node + per_node) % per_node;
    return node * per_node + local;
  }

  void AddRings() {
    const int n = c_.gpus;
    const int rings = c_.gpus_per_node;
    const int rounds = (c_.pattern == "all-reduce" ? 2 : 1) * (n - 1);
    for (int step = 0; step < rounds; ++step) {
      for (int ring = 0; ring < rings; ++ring) {
        for (int place = 0; place < n; ++place) {
          // The piece that a GPU passes on came from the one before it, a step ago.
          const int piece = ((place - step) % n + n) % n;
          const int before = ((step - 1) * rings + ring) * n + (place + n - 1) % n;
          Add(RingGpu(ring, place), RingGpu(ring, (place + 1) % n),
              Part(n * rings, piece * rings + ring), step, step > 0 ? Numbers{before} : Numbers{});
        }
      }
    }
  }

  // Heaps over the GPUs; the second one counts them from the end.
  int TreeGpu(int tree, int place) const { return tree == 0 ? place : c_.gpus - 1 - place; }
  static int Depth(int place) {
    int depth = 0;
    for (; place > 0; place = (place - 1) / 2) ++depth;
    return depth;
  }

  void AddTrees() {
    struct Draft {
      int tree, place, piece, step;
      bool up;
    };
    const int deepest = Depth(c_.gpus - 1);
    std::vector<Draft> drafts;
    for (int tree = 0; tree < 2; ++tree) {
      for (int place = 1; place < c_.gpus; ++place) {
        for (int piece = 0; piece < c_.pieces; ++piece) {
          const int depth = Depth(place);
          drafts.push_back({tree, place, piece, piece + deepest - depth, true});
          drafts.push_back({tree, place, piece, piece + deepest + depth - 1, false});
        }
      }
    }
    std::stable_sort(drafts.begin(), drafts.end(),
                     [](const Draft& a, const Draft& b) { return a.step < b.step; });
    const auto key = [&](const Draft& d, int place, bool up) {
      return static_cast<size_t>(((d.tree * c_.gpus + place) * c_.pieces + d.piece) * 2 +
                                 (up ? 1 : 0));
    };
    Numbers number(static_cast<size_t>(2 * c_.gpus * c_.pieces * 2), -1);
    for (const Draft& d : drafts) {
      const int parent = (d.place - 1) / 2;
      Numbers after;
      // Up: after the children's; down: after the parent has it, the root when all is summed.
      const auto wait = [&](int place, bool up) {
        if (place < c_.gpus) after.push_back(number[key(d, place, up)]);
      };
      if (d.up || parent == 0) {
        const int sums = d.up ? d.place : 0;
        wait(2 * sums + 1, true);
        wait(2 * sums + 2, true);
      } else {
        wait(parent, false);
      }
      const int from = TreeGpu(d.tree, d.up ? d.place : parent);
      const int to = TreeGpu(d.tree, d.up ? parent : d.place);
      number[key(d, d.place, d.up)] =
          Add(from, to, Part(2 * c_.pieces, d.tree * c_.pieces + d.piece), d.step, after);
    }
  }

  void AddDirect() {
    const int n = c_.gpus;
    const bool twice = c_.pattern == "all-reduce";
    std::vector<Numbers> arrived(static_cast<size_t>(n));
    for (int step = 0; step < (twice ? 2 : 1); ++step) {
      for (int src = 0; src < n; ++src) {
        for (int i = 1; i < n; ++i) {
          const int dst = (src + i) % n;
          // Sums go to the owner of a part, everything else goes out as the sender's part.
          const bool sums = c_.pattern != "all-gather" && step == 0;
          const int32_t number = Add(src, dst, Part(n, sums ? dst : src), step,
                                     step == 1 ? arrived[static_cast<size_t>(src)] : Numbers{});
          if (twice && step == 0) arrived[static_cast<size_t>(dst)].push_back(number);
        }
      }
    }
  }

  void AddHierarchical() {
    const int per_node = c_.gpus_per_node;
    const int nodes = c_.gpus / per_node;
    std::vector<Numbers> arrived(static_cast<size_t>(c_.gpus));
    for (int src = 0; src < c_.gpus; ++src) {
      for (int i = 1; i < per_node; ++i) {
        const int local = (src % per_node + i) % per_node;
        const int dst = src / per_node * per_node + local;
        const Bytes bytes = Bytes(Part(per_node, local));
        arrived[static_cast<size_t>(dst)].push_back(Add(src, dst, bytes, 0, {}));
      }
    }
    for (int src = 0; src < c_.gpus; ++src) {
      for (int i = 1; i < nodes; ++i) {
        const int dst = (src + i * per_node) % c_.gpus;
        Add(src, dst, Bytes(Part(nodes, dst / per_node)), per_node > 1 ? 1 : 0,
            arrived[static_cast<size_t>(src)]);
      }
    }
  }

  const Collective& c_;
  Transfers made_;
};

// An upper limit, before anything is built; of what they wait for too.
int64_t CountOf(const Collective& c) {
  const int64_t n = c.gpus;
  if (c.pattern == "p2p") return 1;
  if (c.algorithm == "tree") return 4 * n * c.pieces;
  if (c.algorithm == "hierarchical") return n * (c.gpus_per_node + n / c.gpus_per_node) * 2;
  if (c.algorithm == "ring") return 2 * n * (n - 1) * c.gpus_per_node;
  return c.pattern == "all-reduce" ? n * n * n : n * n;
}

Status Check(const Collective& c) {
  if (c.gpus < 2) return Fail(fmt::format("{} GPUs: expected 2 or more", c.gpus));
  if (c.gpus_per_node < 1 || c.gpus % c.gpus_per_node != 0) {
    return Fail(fmt::format("{} GPUs do not fill whole nodes of {}", c.gpus, c.gpus_per_node));
  }
  if (c.size.value() < c.gpus || c.size.value() > int64_t{1} << 44) {
    return Fail(fmt::format("{} bytes: expected at least one for each GPU and at most 16 TiB",
                            c.size.value()));
  }
  if (c.pieces < 1 || c.pieces > 1024) {
    return Fail(fmt::format("{} pieces: expected 1 to 1024", c.pieces));
  }
  if (CountOf(c) > kMost) {
    return Fail(fmt::format("{} over {} GPUs by {} takes more than {} transfers", c.pattern, c.gpus,
                            c.algorithm, kMost));
  }
  return {};
}

}  // namespace

std::vector<std::string> Patterns() {
  std::vector<std::string> names;
  for (const Entry& entry : Table()) names.emplace_back(entry.pattern);
  return names;
}

std::vector<std::string> AlgorithmsOf(const std::string& pattern) {
  for (const Entry& entry : Table()) {
    if (entry.pattern == pattern) return entry.algorithms;
  }
  return {};
}

Result<Transfers> MakeTransfers(Collective c) {
  const auto algorithms = AlgorithmsOf(c.pattern);
  if (algorithms.empty()) {
    return Fail("unknown pattern '" + c.pattern + "'" + Suggestion(c.pattern, Patterns()));
  }
  if (c.algorithm.empty()) c.algorithm = algorithms.front();
  if (std::find(algorithms.begin(), algorithms.end(), c.algorithm) == algorithms.end()) {
    return Fail("unknown algorithm '" + c.algorithm + "' for " + c.pattern +
                Suggestion(c.algorithm, algorithms));
  }
  if (auto fits = Check(c); !fits) return Fail(fits.error());
  return Builder(c).Make();
}

}  // namespace pipescope::collective
