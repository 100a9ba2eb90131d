// The platform on which a SimGridEngine's process runs flows of any route; see simgrid_engine.h.
#pragma once

#include <algorithm>
#include <map>
#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

#include "sim/flow/network.h"

namespace pipescope::flow {

// Links, and a host at the head of every route that is used; all routes lead to one sink.
class Platform {
 public:
  Platform(const Network& network, simgrid::s4u::Host*& sink)
      : zone_(simgrid::s4u::create_star_zone("fabric")) {
    for (size_t l = 0; l < network.links.size(); ++l) {
      links_.push_back(NewLink(network.links[l].value()));
    }
    sink_ = zone_->create_host("sink", 1e9)->seal();
    sink = sink_;
    zone_->add_route(sink_->get_netpoint(), nullptr, nullptr, nullptr,
                     std::vector<simgrid::s4u::LinkInRoute>{}, false);
    zone_->add_route(nullptr, sink_->get_netpoint(), nullptr, nullptr,
                     std::vector<simgrid::s4u::LinkInRoute>{}, false);
  }

  simgrid::s4u::Host* HeadOf(std::vector<int32_t> route, Bandwidth cap) {
    if (cap > Bandwidth(0)) {
      route.push_back(static_cast<int32_t>(links_.size()));
      links_.push_back(NewLink(cap.value()));
    }
    simgrid::s4u::Host*& head = heads_[route];
    if (head != nullptr) return head;
    head = zone_->create_host("head" + std::to_string(heads_.size()), 1e9)->seal();
    std::vector<simgrid::s4u::LinkInRoute> links;
    for (const int32_t l : route) links.emplace_back(link(l));
    zone_->add_route(head->get_netpoint(), nullptr, nullptr, nullptr, links, false);
    return head;
  }
  void Seal() { zone_->seal(); }
  void SetCapacity(int64_t l, double capacity) {
    capacity_[static_cast<size_t>(l)] = std::max(kDead, capacity);
    link(l)->set_bandwidth(capacity_[static_cast<size_t>(l)]);
  }
  // While links are wide, flows may be started that no later capacity is to be hidden from.
  void Widen() {
    for (simgrid::s4u::Link* l : links_) l->set_bandwidth(kWide);
  }
  void Restore() {
    for (size_t l = 0; l < links_.size(); ++l) links_[l]->set_bandwidth(capacity_[l]);
  }

 private:
  // Bytes/s of a link that has none, and of one at which no flow is held back.
  static constexpr double kDead = 1e-6;
  static constexpr double kWide = 1e18;

  simgrid::s4u::Link* link(int64_t l) const { return links_[static_cast<size_t>(l)]; }
  simgrid::s4u::Link* NewLink(double capacity) {
    capacity_.push_back(std::max(kDead, capacity));
    return zone_->create_link("link" + std::to_string(links_.size()), capacity_.back())
        ->set_latency(0)
        ->seal();
  }

  simgrid::s4u::NetZone* zone_;
  simgrid::s4u::Host* sink_ = nullptr;
  std::vector<simgrid::s4u::Link*> links_;
  std::vector<double> capacity_;
  std::map<std::vector<int32_t>, simgrid::s4u::Host*> heads_;
};

}  // namespace pipescope::flow
