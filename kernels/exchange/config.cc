#include "kernels/exchange/config.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>

namespace pipescope::kernels::exchange {
namespace {

struct Range {
  const char* field;
  int value;
  int least;
  int most;
  int multiple = 1;
};

Status CheckRange(const Range& r) {
  if (r.value >= r.least && r.value <= r.most && r.value % r.multiple == 0) return {};
  const auto multiple = r.multiple == 1 ? "" : fmt::format(", a multiple of {}", r.multiple);
  return Fail(
      fmt::format("{}: {}: expected {} to {}{}", r.field, r.value, r.least, r.most, multiple));
}

// A message is at most half of a ring: the writer fills one half while the other is under way.
Status CheckRing(const char* field, int send, int recv, int rings = 1) {
  constexpr int kMostSlots = 1 << 16;
  if (send >= 1 && recv / rings >= 2 * send && recv <= kMostSlots) return {};
  const auto cut = rings == 1 ? "" : fmt::format(", cut into {} rings", rings);
  return Fail(fmt::format(
      "{}: messages of {} rows and {} slots{}: expected messages of 1 row or more, rings of at "
      "least two messages and at most {} slots",
      field, send, recv, cut, kMostSlots));
}

Status CheckSizes(const Config& c) {
  constexpr int kMostExperts = 1 << 16;
  const std::initializer_list<Range> ranges = {
      {"nodes", c.nodes, 1, kMostNodes},
      {"locals", c.locals, 1, kMostLocals},
      {"hidden", c.hidden, kScaledBy, 1 << 16, kScaledBy},
      {"tokens", c.tokens, 0, 1 << 20},
      {"alignment", c.alignment, 1, 1 << 16},
      {"selected", c.selected, 1, 128},
      {"sms", c.sms, 2, 256, 2},
      {"per_pair", c.per_pair, 1, 8},
  };
  for (const Range& range : ranges) {
    if (auto ok = CheckRange(range); !ok) return ok;
  }
  return CheckRange({"experts", c.experts, c.ranks(), kMostExperts, c.ranks()});
}

}  // namespace

Config WithTunedBuffers(Config config) {
  struct Tuned {
    int gpus;
    Buffers dispatch;
    Buffers combine;
  };
  static constexpr std::array<Tuned, 8> kTuned = {{
      {8, {6, 256, 6, 128}, {4, 256, 6, 128}},
      {16, {36, 288, 20, 128}, {4, 288, 12, 128}},
      {32, {32, 288, 8, 128}, {1, 288, 8, 128}},
      {64, {32, 288, 8, 128}, {1, 288, 8, 128}},
      {96, {20, 480, 12, 128}, {1, 480, 8, 128}},
      {128, {20, 560, 12, 128}, {1, 560, 8, 128}},
      {144, {32, 720, 12, 128}, {2, 720, 8, 128}},
      {160, {28, 720, 12, 128}, {2, 720, 8, 128}},
  }};
  const Tuned* fit = &kTuned.front();
  for (const Tuned& tuned : kTuned) {
    fit = &tuned;
    if (tuned.gpus >= config.ranks()) break;
  }
  config.dispatch = fit->dispatch;
  config.combine = fit->combine;
  return config;
}

Status CheckConfig(const Config& c) {
  if (auto ok = CheckSizes(c); !ok) return ok;
  const Buffers& d = c.dispatch;
  const Buffers& b = c.combine;
  if (auto ok = CheckRing("dispatch.nvl", d.nvl_send, d.nvl_recv); !ok) return ok;
  if (auto ok = CheckRing("dispatch.rdma", d.rdma_send, d.rdma_recv); !ok) return ok;
  if (auto ok = CheckRing("combine.nvl", b.nvl_send, b.nvl_recv, c.nodes); !ok) return ok;
  return CheckRing("combine.rdma", b.rdma_send, b.rdma_recv);
}

}  // namespace pipescope::kernels::exchange
