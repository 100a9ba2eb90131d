#include "sim/flow/components.h"

#include <utility>

namespace pipescope::flow {

int32_t Components::New(int64_t now) {
  int32_t c = static_cast<int32_t>(components_.size());
  if (free_.empty()) {
    components_.emplace_back();
  } else {
    c = free_.back();
    free_.pop_back();
  }
  at(c).updated = now;
  return c;
}

void Components::Free(int32_t c) {
  const uint32_t version = at(c).version;
  at(c) = Component();
  at(c).version = version + 1;  // what waits for its next end is void
  free_.push_back(c);
}

void Components::Bring(Component& component, int64_t now) {
  if (component.updated == now) return;
  const double seconds = static_cast<double>(now - component.updated) / 1e12;
  for (const int32_t l : component.links) {
    LinkState& link = state_.link(l);
    if (link.level != kNever) link.volume += link.level * seconds;
  }
  component.updated = now;
}

int32_t Components::Join(int32_t v, int64_t now) {
  const Variable& var = state_.variable(v);
  int32_t into = -1;
  for (int32_t k = 0; k < var.count; ++k) {
    const int32_t c = state_.link(var.links[k]).component;
    if (c >= 0 && (into < 0 || at(c).links.size() > at(into).links.size())) into = c;
  }
  if (into < 0) into = New(now);
  Bring(at(into), now);
  for (int32_t k = 0; k < var.count; ++k) {
    const int32_t l = var.links[k];
    const int32_t c = state_.link(l).component;
    if (c == into) continue;
    at(into).checkpoints.clear();  // they know nothing of the new links
    if (c < 0) {
      state_.link(l).component = into;
      at(into).links.push_back(l);
      continue;
    }
    Bring(at(c), now);
    for (const int32_t other : at(c).links) {
      state_.link(other).component = into;
      at(into).links.push_back(other);
    }
    at(into).variables += at(c).variables;
    at(into).gone += at(c).gone;
    Free(c);
  }
  return into;
}

int32_t Components::Root(int32_t l) {
  int32_t root = l;
  while (parent_[static_cast<size_t>(root)] != root) root = parent_[static_cast<size_t>(root)];
  while (l != root) l = std::exchange(parent_[static_cast<size_t>(l)], root);
  return root;
}

void Components::Divide(int32_t c, std::vector<int32_t>& parts) {
  if (at(c).variables > 0 && at(c).gone <= 64 + at(c).variables) {
    parts.push_back(c);
    return;
  }
  const Component whole = std::exchange(at(c), Component());
  state_.FindNeighbours(whole.links);
  at(c).updated = whole.updated;
  parent_.resize(state_.links());
  for (const int32_t l : whole.links) parent_[static_cast<size_t>(l)] = l;
  for (const int32_t l : whole.links) {
    state_.ForEachOn(l, [&](int32_t v) {
      const Variable& var = state_.variable(v);
      if (var.links[0] != l) return;  // each variable once
      for (int32_t k = 1; k < var.count; ++k) {
        parent_[static_cast<size_t>(Root(var.links[k]))] = Root(l);
      }
    });
  }
  for (const int32_t l : whole.links) state_.link(l).component = -1;
  at(c).version = whole.version + 1;
  Free(c);
  for (const int32_t l : whole.links) {
    if (state_.link(l).variables == 0) {
      if (state_.IsCap(l)) state_.FreeLink(l);
      continue;
    }
    const int32_t root = Root(l);
    int32_t part = state_.link(root).component;
    if (part < 0) {
      part = New(whole.updated);
      state_.link(root).component = part;
      parts.push_back(part);
    }
    state_.link(l).component = part;
    at(part).links.push_back(l);
    state_.ForEachOn(l, [&](int32_t v) { at(part).variables += state_.variable(v).links[0] == l; });
  }
}

}  // namespace pipescope::flow
