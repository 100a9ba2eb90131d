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

  // One of the trees: for each GPU its parent, and how deep it is.
  struct Tree {
    Numbers parent;  // -1: the root
    Numbers depth;
    std::vector<Numbers> children;
  };

  // Up a chain of the node's GPUs to the one of index `local`; those are a heap over the nodes.
  Tree MakeTree(int local, bool mirrored) const {
    const int per_node = c_.gpus_per_node;
    const int nodes = c_.gpus / per_node;
    Tree tree;
    tree.parent.assign(static_cast<size_t>(c_.gpus), -1);
    tree.depth = Numbers(tree.parent.size(), 0);
    tree.children.resize(tree.parent.size());
    for (int i = 0; i < c_.gpus; ++i) {  // parents before their children
      const int place = i / per_node;
      const int link = i % per_node;
      const auto gpu_of = [&](int at, int along) {
        const int step = mirrored ? per_node - along % per_node : along;
        return (mirrored ? nodes - 1 - at : at) * per_node + (local + step) % per_node;
      };
      if (i == 0) continue;
      const int parent = link > 0 ? gpu_of(place, link - 1) : gpu_of((place - 1) / 2, 0);
      const auto gpu = static_cast<size_t>(gpu_of(place, link));
      tree.parent[gpu] = parent;
      tree.depth[gpu] = tree.depth[static_cast<size_t>(parent)] + 1;
      tree.children[static_cast<size_t>(parent)].push_back(static_cast<int32_t>(gpu));
    }
    return tree;
  }

  struct Draft {
    int tree, gpu, piece, step;
    bool up;  // from the GPU to its parent, else back
  };

  std::vector<Draft> DraftTrees(const std::vector<Tree>& trees) const {
    std::vector<Draft> drafts;
    for (int t = 0; t < static_cast<int>(trees.size()); ++t) {
      const Tree& tree = trees[static_cast<size_t>(t)];
      const int deepest = *std::max_element(tree.depth.begin(), tree.depth.end());
      for (int gpu = 0; gpu < c_.gpus; ++gpu) {
        const int depth = tree.depth[static_cast<size_t>(gpu)];
        for (int piece = 0; piece < c_.pieces && depth > 0; ++piece) {
          drafts.push_back({t, gpu, piece, piece + deepest - depth, true});
          drafts.push_back({t, gpu, piece, piece + deepest + depth - 1, false});
        }
      }
    }
    std::stable_sort(drafts.begin(), drafts.end(),
                     [](const Draft& a, const Draft& b) { return a.step < b.step; });
    return drafts;
  }

  void AddTrees() {
    std::vector<Tree> trees;
    for (int local = 0; local < c_.gpus_per_node; ++local) {
      trees.push_back(MakeTree(local, false));
      trees.push_back(MakeTree(local, true));
    }
    Numbers numbers(trees.size() * static_cast<size_t>(c_.gpus * c_.pieces * 2), -1);
    const auto place = [&](const Draft& d, int gpu, bool up) {
      return static_cast<size_t>(((d.tree * c_.gpus + gpu) * c_.pieces + d.piece) * 2 +
                                 (up ? 1 : 0));
    };
    const int parts = static_cast<int>(trees.size()) * c_.pieces;
    for (const Draft& d : DraftTrees(trees)) {
      const Tree& tree = trees[static_cast<size_t>(d.tree)];
      const int parent = tree.parent[static_cast<size_t>(d.gpu)];
      const int sender = d.up ? d.gpu : parent;
      // Up, and down from the root: when all below have come. Further down: when it has come. In
      // each case behind the piece before.
      Numbers after;
      if (d.piece > 0) after.push_back(numbers[place(d, d.gpu, d.up) - 2]);
      if (d.up || tree.parent[static_cast<size_t>(parent)] < 0) {
        for (const int child : tree.children[static_cast<size_t>(sender)]) {
          after.push_back(numbers[place(d, child, true)]);
        }
      } else {
        after.push_back(numbers[place(d, parent, false)]);
      }
      numbers[place(d, d.gpu, d.up)] = Add(
          sender, d.up ? parent : d.gpu, Part(parts, d.tree * c_.pieces + d.piece), d.step, after);
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
  if (c.algorithm == "tree") return 4 * n * c.gpus_per_node * c.pieces;
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
