// Hypercube: 2^d routers, each joined to the d others whose number differs in one bit.
//
//   path  flips the bits in which two routers differ, one a hop, in any order: k bits make k! ways
//   cut   half of the routers' numbers begin with 0: 2^(d-1) cables cross
//
// Example, d = 3: 8 routers, 12 cables, 4 of which cross; from 000 to 011 by 001 or by 010.
#include "tests/examples/hypercube.h"

namespace pipescope::topology {

void Hypercube::ForEachLink(const std::function<void(const SwitchLink&)>& visit) const {
  for (int number = 0; number < switches(); ++number) {
    for (int bit = 0; bit < dimensions_; ++bit) {
      const int other = number ^ (1 << bit);
      if (other > number) visit({number, other, 1, CableKind::kLocal, {}});
    }
  }
}

int64_t Hypercube::PathCount(NicAt from, NicAt to) const {
  int64_t ways = 1;
  for (size_t k = BitsBetween(from, to).size(); k > 1; --k) ways *= static_cast<int64_t>(k);
  return ways;
}

// The digits of `key` in the factorial number system pick which of the bits left comes next.
std::vector<int> Hypercube::Path(NicAt from, NicAt to, int64_t key) const {
  std::vector<int> bits = BitsBetween(from, to);
  std::vector<int> path = {SwitchOf(from)};
  int64_t left = key % PathCount(from, to);
  while (!bits.empty()) {
    const auto count = static_cast<int64_t>(bits.size());
    const auto pick = bits.begin() + left % count;
    left /= count;
    path.push_back(path.back() ^ (1 << *pick));
    bits.erase(pick);
  }
  return path;
}

std::vector<int> Hypercube::BitsBetween(NicAt from, NicAt to) const {
  std::vector<int> bits;
  for (int bit = 0; bit < dimensions_; ++bit) {
    if (((SwitchOf(from) ^ SwitchOf(to)) >> bit & 1) != 0) bits.push_back(bit);
  }
  return bits;
}

}  // namespace pipescope::topology
