// A message's way from one node to another: handed to a NIC, out of it, into the other end's, and
// there. A GPU whose NIC is dead hands it to the GPU that lends its own, over NVLink (PXN), and is
// handed what comes for it likewise.
//
//   kPosted -> [NVLink -> kDepart] -> NIC, latency -> kArrive -> NIC -> [kArrived -> NVLink] ->
//   there
//
// Example: 12 rows of FP8, 88.7 KB, on H800: 1.9 us on the NIC, 3.7 us of latency; from and to dead
// NICs 2 x (0.6 + 3.3) us of NVLink more.
#pragma once

#include "sim/exchange/layout.h"
#include "sim/exchange/ports.h"
#include "sim/exchange/station.h"

namespace pipescope::exchange {

// `Kind` has the four of above; `there` is what it becomes at the end.
template <class Kind>
class Journey {
 public:
  enum class Way { kFromHome, kToHome };  // a dispatch's messages leave home, a combine's return
  Journey(const Layout& layout, Ports& ports, Events<Kind>& events, Way way, Kind there)
      : layout_(layout), ports_(ports), events_(events), way_(way), there_(there) {}

  void Handle(const typename Events<Kind>::Event& e) {
    const int32_t m = e.a;
    const int home = layout_.Home(m), away = layout_.Forwarder(m);
    const int from = way_ == Way::kFromHome ? home : away;
    const int to = way_ == Way::kFromHome ? away : home;
    const int out = layout_.NicOf(from), in = layout_.NicOf(to);
    if (e.kind == Kind::kPosted && out != from) {
      events_.Add(layout_.HandOver(m, e.at, from, out, ports_), Kind::kDepart, m);
    } else if (e.kind == Kind::kPosted || e.kind == Kind::kDepart) {
      events_.Add(layout_.Depart(m, e.at, out, ports_), Kind::kArrive, m);
    } else if (e.kind == Kind::kArrive) {
      events_.Add(layout_.Arrive(m, e.at, out, in, ports_), in == to ? there_ : Kind::kArrived, m);
    } else {
      events_.Add(layout_.HandOver(m, e.at, in, to, ports_), there_, m);
    }
  }

 private:
  const Layout& layout_;
  Ports& ports_;
  Events<Kind>& events_;
  Way way_;
  Kind there_;
};

}  // namespace pipescope::exchange
