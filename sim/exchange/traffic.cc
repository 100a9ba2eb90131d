#include "sim/exchange/traffic.h"

#include "sim/base/result.h"

namespace pipescope::exchange {
namespace {

class Builder {
 public:
  Builder(const Shape& shape, int message)
      : shape_(shape), message_(message), open_(static_cast<size_t>(shape.nodes)) {
    traffic_.shape = shape;
    traffic_.streams.resize(static_cast<size_t>(shape.streams()));
    for (Open& open : open_) open.rows.resize(static_cast<size_t>(shape.gpus_per_node));
  }

  void AddLane(int lane, const Routing& routing, int64_t from, int64_t to) {
    for (int64_t t = from; t < to; ++t) AddToken(lane, routing, t, static_cast<int32_t>(t - from));
    for (Open& open : open_) {
      if (open.message.tokens > 0) Close(open);
    }
    traffic_.lane_end.push_back(static_cast<int32_t>(traffic_.messages.size()));
    traffic_.token_end.push_back(static_cast<int32_t>(traffic_.nodes_first.size()) - 1);
  }

  Traffic Take() { return std::move(traffic_); }

 private:
  struct Open {  // a message that is being filled; 0 tokens: none is
    Message message;
    std::vector<int32_t> rows;
  };

  void AddToken(int lane, const Routing& routing, int64_t t, int32_t place) {
    const int gpu = lane / shape_.channels;
    const size_t first_node = traffic_.nodes.size();
    for (const int32_t to : routing.Of(t)) {
      const int node = to / shape_.gpus_per_node;
      Open& open = open_[static_cast<size_t>(node)];
      if (traffic_.nodes.size() == first_node || traffic_.nodes.back() != node) {
        AddCopy(open, lane, node, place);
      }
      const int local = to % shape_.gpus_per_node;
      ++open.message.rows;
      ++open.rows[static_cast<size_t>(local)];
      ++traffic_.delivered;
      if (local != shape_.LocalOf(gpu)) ++traffic_.nvlink_rows;
    }
    for (size_t i = first_node; i < traffic_.nodes.size(); ++i) {
      Open& open = open_[static_cast<size_t>(traffic_.nodes[i])];
      if (open.message.tokens == message_) Close(open);
    }
    traffic_.nodes_first.push_back(static_cast<int32_t>(traffic_.nodes.size()));
    ++traffic_.tokens;
  }

  void AddCopy(Open& open, int lane, int node, int32_t place) {
    open.message.stream = lane * shape_.nodes + node;
    open.message.last_token = place;
    ++open.message.tokens;
    traffic_.nodes.push_back(node);
    ++traffic_.network_copies;
    if (node != shape_.NodeOf(lane / shape_.channels)) ++traffic_.network_rows;
  }

  void Close(Open& open) {
    traffic_.streams[static_cast<size_t>(open.message.stream)].push_back(
        static_cast<int32_t>(traffic_.messages.size()));
    traffic_.messages.push_back(open.message);
    traffic_.rows.insert(traffic_.rows.end(), open.rows.begin(), open.rows.end());
    open.message = {};
    open.rows.assign(open.rows.size(), 0);
  }

  Shape shape_;
  int message_;
  Traffic traffic_;
  std::vector<Open> open_;  // by node
};

}  // namespace

Traffic MakeTraffic(const Shape& shape, const std::vector<Routing>& routing, int message) {
  PIPESCOPE_CHECK(static_cast<int>(routing.size()) == shape.simulated() && message > 0);
  Builder builder(shape, message);
  for (int lane = 0; lane < shape.lanes(); ++lane) {
    const Routing& from = routing[static_cast<size_t>(lane / shape.channels)];
    const int64_t channel = lane % shape.channels;
    builder.AddLane(lane, from, channel * from.tokens() / shape.channels,
                    (channel + 1) * from.tokens() / shape.channels);
  }
  return builder.Take();
}

}  // namespace pipescope::exchange
