// The rows of one exchange as DeepEP's channels see them: which tokens make up a message between
// nodes, and how many of its rows go to which GPU there.
//
// `channels` channels share a GPU's tokens evenly and in order. Of a channel's tokens those for one
// node form a stream, cut into messages of `message` tokens (the last may be shorter); a message's
// row goes once to the GPU of the sender's index on that node, and on from there to each GPU that
// needs it. A stream to the own node skips the network.
//
// Folded, one GPU stands for all: what it sends to node d comes back to it as if from node d, and
// what it passes to GPU i of a node as if from GPU i. That is exact where all GPUs have the same
// counts; the counts of a balanced routing differ by sampling noise alone. A skewed routing is
// simulated with all GPUs.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/exchange/gating.h"

namespace pipescope::exchange {

struct Shape {
  int nodes = 1;
  int gpus_per_node = 1;
  int channels = 1;
  bool folded = true;

  int simulated() const { return folded ? 1 : nodes * gpus_per_node; }
  int lanes() const { return simulated() * channels; }  // lane = gpu x channels + channel
  int streams() const { return lanes() * nodes; }       // stream = lane x nodes + node
  // The simulated GPU that plays GPU `local` of `node`, and where a simulated one stands.
  int Player(int node, int local) const { return folded ? 0 : node * gpus_per_node + local; }
  int NodeOf(int gpu) const { return folded ? 0 : gpu / gpus_per_node; }
  int LocalOf(int gpu) const { return folded ? 0 : gpu % gpus_per_node; }
};

struct Message {
  int32_t stream = 0;
  int32_t tokens = 0;
  int32_t last_token = 0;  // of its lane's, the one that completes it
  int32_t rows = 0;        // over all GPUs of the node
};

struct Traffic {
  Shape shape;
  std::vector<Message> messages;              // by lane, in the order in which they are complete
  std::vector<int32_t> rows;                  // message x gpus_per_node + local: rows for that GPU
  std::vector<int32_t> lane_end;              // of each lane in `messages`
  std::vector<std::vector<int32_t>> streams;  // messages of each stream, in order
  std::vector<int32_t> token_end;             // of each lane in `token_nodes_first`
  std::vector<int32_t> nodes_first = {0};     // of each token, lane by lane, in `nodes`
  std::vector<int32_t> nodes;                 // the nodes a token is on, ascending

  int64_t tokens = 0;          // of all simulated GPUs
  int64_t network_copies = 0;  // (token, node) pairs, own node included
  int64_t network_rows = 0;    // of these, those that pass the network
  int64_t delivered = 0;       // (token, GPU) pairs: rows at their destinations
  int64_t nvlink_rows = 0;     // of these, those that pass NVLink

  int32_t Rows(int32_t message, int local) const {
    return rows[static_cast<size_t>(message * shape.gpus_per_node + local)];
  }
};

// `routing` has one entry a simulated GPU.
Traffic MakeTraffic(const Shape& shape, const std::vector<Routing>& routing, int message);

}  // namespace pipescope::exchange
