// Links and the flows that cross them, as plain data: what both flow engines read.
//
// A flow carries `bytes` over the links of its route at one rate, the same everywhere. While it
// runs at x bytes/s it takes weight * x of each of its links (weight 1 unless said otherwise), and
// no more than `cap` if it has one. Its bytes start to move `latency` after the flow is added, so
// an empty flow takes its latency and nothing else.
//
//   a link of 50 GB/s, one flow of 1 GB over it, 2 us of latency:   2 us + 20 ms
//
// A collective whose messages advance together (SimGrid's "parallel task") is one flow too: its
// weight on a link is the share of its bytes that crosses that link.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/units.h"

namespace pipescope::flow {

using FlowId = int64_t;  // counts from 0 in the order in which an engine is given flows

struct Network {
  std::vector<Bandwidth> links;  // a link's number is its place here; one direction each
  // Links of different kinds are never equal (pattern.h): worth saying where other traffic treats
  // them differently, such as the NICs of senders and of receivers. Empty: all of one kind.
  std::vector<int32_t> kinds = {};
};

// Many flows in few arrays: a million of them fit in tens of megabytes.
struct FlowBatch {
  std::vector<int64_t> first = {0};  // flow f crosses links[first[f]] up to links[first[f + 1]]
  std::vector<int32_t> links;        // each at most once in a flow
  std::vector<double> weights;       // beside `links`; empty: 1 everywhere
  std::vector<Bytes> bytes;          // one a flow
  std::vector<Bandwidth> caps;       // one a flow, 0 for none; empty: none anywhere
  std::vector<Duration> latencies;   // one a flow; empty: 0 everywhere

  int64_t size() const { return static_cast<int64_t>(bytes.size()); }
  std::span<const int32_t> Route(int64_t f) const {
    const size_t from = static_cast<size_t>(first[static_cast<size_t>(f)]);
    const size_t to = static_cast<size_t>(first[static_cast<size_t>(f) + 1]);
    return std::span<const int32_t>(links).subspan(from, to - from);
  }
  // Empty where every weight is 1.
  std::span<const double> Weights(int64_t f) const {
    if (weights.empty()) return {};
    return std::span<const double>(weights).subspan(
        static_cast<size_t>(first[static_cast<size_t>(f)]), Route(f).size());
  }
  Bandwidth Cap(int64_t f) const {
    return caps.empty() ? Bandwidth(0) : caps[static_cast<size_t>(f)];
  }
  Duration Latency(int64_t f) const {
    return latencies.empty() ? Duration(0) : latencies[static_cast<size_t>(f)];
  }
  // A flow of weight 1 without cap; latency only in a batch whose other flows have one too.
  void Add(std::span<const int32_t> route, Bytes size) {
    links.insert(links.end(), route.begin(), route.end());
    first.push_back(static_cast<int64_t>(links.size()));
    bytes.push_back(size);
  }
};

// Aborts unless the arrays fit each other, every link exists, no flow crosses a link twice, bytes,
// latencies and caps are not negative and weights are positive and finite.
void CheckBatch(const Network& network, const FlowBatch& batch);

}  // namespace pipescope::flow
