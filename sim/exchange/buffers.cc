#include "sim/exchange/buffers.h"

#include <fmt/format.h>

#include <array>

namespace pipescope::exchange {
namespace {

struct Tuned {
  int gpus;
  Buffers dispatch;
  Buffers combine;
};

constexpr std::array<Tuned, 8> kTuned = {{
    {8, {6, 256, 6, 128}, {4, 256, 6, 128}},
    {16, {36, 288, 20, 128}, {4, 288, 12, 128}},
    {32, {32, 288, 8, 128}, {1, 288, 8, 128}},
    {64, {32, 288, 8, 128}, {1, 288, 8, 128}},
    {96, {20, 480, 12, 128}, {1, 480, 8, 128}},
    {128, {20, 560, 12, 128}, {1, 560, 8, 128}},
    {144, {32, 720, 12, 128}, {2, 720, 8, 128}},
    {160, {28, 720, 12, 128}, {2, 720, 8, 128}},
}};

Status CheckRing(const char* what, int send, int recv) {
  if (send >= 1 && recv >= 2 * send && recv <= 1 << 16) return {};
  return Fail(
      fmt::format("{}: messages of {} tokens and rings of {}: expected 1 or more, and rings "
                  "of at least two messages and at most 65536 tokens",
                  what, send, recv));
}

}  // namespace

Buffers TunedBuffers(Direction direction, int gpus) {
  const Tuned* fit = &kTuned.front();
  for (const Tuned& tuned : kTuned) {
    fit = &tuned;
    if (tuned.gpus >= gpus) break;
  }
  return direction == Direction::kDispatch ? fit->dispatch : fit->combine;
}

Status CheckBuffers(const Buffers& b) {
  if (auto nvl = CheckRing("NVLink buffers", b.nvl_send, b.nvl_recv); !nvl) return nvl;
  if (b.rdma_send > b.nvl_recv) {
    return Fail(fmt::format("network messages of {} tokens do not fit NVLink rings of {}",
                            b.rdma_send, b.nvl_recv));
  }
  return CheckRing("network buffers", b.rdma_send, b.rdma_recv);
}

}  // namespace pipescope::exchange
