#include "kernels/bench/exchange_op.h"

#include "kernels/bench/check.h"
#include "kernels/exchange/check.h"

namespace pipescope::kernels::bench {

using exchange::Config;
using exchange::Part;

Status NoteRoutings(Checked& checked, const MakeExchange& make, const Config& config,
                    uint64_t seed) {
  for (const exchange::Routing routing : exchange::kRoutings) {
    const auto ranks = make(config);
    if (!ranks) return Fail(ranks.error());
    const auto result = exchange::CheckExchange(**ranks, config, routing, true, seed);
    if (!result) return Fail(result.error());
    NoteTrue(checked, std::string(NameOf(routing)) + ": " + result->failure,
             result->failure.empty());
  }
  return {};
}

Result<PartRuns> RunPart(const MakeExchange& make, const Config& config, Part part, int runs) {
  const auto ranks = make(config);
  if (!ranks) return Fail(ranks.error());
  const auto routing = exchange::Routing::kUniform;
  if (auto all = BenchExchange(**ranks, config, routing, 1, 1); !all) return Fail(all.error());
  const auto seconds = (*ranks)->Seconds(part, runs + 1);
  if (!seconds) return Fail(seconds.error());
  const int64_t rows = VolumeOf(config, DrawInputs(config, routing, false, 1)).rows;
  const int64_t row =
      part == Part::kDispatch ? DispatchRowBytes(config) : 2 * int64_t{config.hidden};
  PartRuns done = {{}, Bytes(2 * rows * row)};
  for (size_t i = 1; i < seconds->size(); ++i) done.each.push_back(Seconds((*seconds)[i]));
  return done;
}

Config SizedAs(Config config, const Shape& shape) {
  config.nodes = static_cast<int>(At(shape, "nodes"));
  config.locals = static_cast<int>(At(shape, "locals"));
  config.hidden = static_cast<int>(At(shape, "hidden"));
  config.tokens = static_cast<int>(At(shape, "tokens"));
  return config;
}

Op ExchangeOp(const char* name, Part part, Device device) {
  return {.name = name,
          .device = device,
          .truth = "a plain program that copies rows",
          .format = part == Part::kDispatch ? measured::Format::kFp8 : measured::Format::kBf16};
}

}  // namespace pipescope::kernels::bench
