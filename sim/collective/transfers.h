// A collective as the messages that it is made of: plain data, for anything that times messages.
//
//   pattern          algorithms                      what each GPU sends of S bytes, n GPUs
//   p2p              direct                          S, the first GPU to the last
//   all-to-all       direct, hierarchical            S / n to each other GPU
//   all-gather       ring, direct                    its S / n to all, in n - 1 steps or at once
//   reduce-scatter   ring, direct                    the same with sums
//   all-reduce       ring, tree, direct              a reduce-scatter, then an all-gather; or a sum
//                                                    up a tree and back
//
// S is what nccl-tests calls size: the whole buffer of a GPU, for p2p the message.
//
// ring          as many rings as a node has GPUs, S / rings each, so that all NICs are used: ring k
//               passes through node i from GPU k - i on, and leaves by GPU k - i - 1, the one of
//               the next node's first GPU.
// tree          for each GPU of a node two trees of S / (2 GPUs of a node) each: a chain of the
//               node's GPUs that ends at that one, and a binary tree over those of all nodes; the
//               second tree is the mirror image of the first, so that who is inside one is a leaf
//               of the other (Sanders, Speck and Traeff 2009; NCCL has trees like these). The data
//               goes in `pieces` that follow each other.
// hierarchical  first within the node to the GPU with the destination's index, then between nodes
//               among equal indices: 1/n of the messages, n / node times as large.
//
// A transfer waits for those that bring what it sends, and in a tree for the piece before.
// Transfers of one step wait for no other of it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::collective {

struct Transfer {
  int32_t src = 0;
  int32_t dst = 0;
  int32_t step = 0;
  Bytes bytes;
};

// Ordered by step.
struct Transfers {
  int gpus = 0;
  int steps = 0;
  std::vector<Transfer> all;
  std::vector<int32_t> after_end = {};  // transfer i waits for after[after_end[i - 1]] up to
  std::vector<int32_t> after = {};      // after[after_end[i]], earlier ones

  std::span<const int32_t> After(size_t i) const {
    const auto from = static_cast<size_t>(i == 0 ? 0 : after_end[i - 1]);
    return std::span<const int32_t>(after).subspan(from, static_cast<size_t>(after_end[i]) - from);
  }
};

struct Collective {
  std::string pattern;    // of the table
  std::string algorithm;  // empty: the pattern's first
  int gpus = 2;
  int gpus_per_node = 1;
  Bytes size;
  int pieces = 16;  // tree
};

std::vector<std::string> Patterns();
std::vector<std::string> AlgorithmsOf(const std::string& pattern);

// Fails for an unknown name, less than 2 GPUs, nodes that are not full, no bytes, or more than
// four million transfers.
Result<Transfers> MakeTransfers(Collective collective);

}  // namespace pipescope::collective
