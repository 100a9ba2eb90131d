#include "kernels/bench/exchange_op.h"

#include <algorithm>
#include <memory>

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

Result<Trial> PartTrial(const MakeExchange& make, const Config& config, Part part, int runs) {
  auto made = make(config);
  if (!made) return Fail(made.error());
  const std::shared_ptr<exchange::Exchange> ranks = *std::move(made);
  const auto routing = exchange::Routing::kUniform;
  if (auto all = BenchExchange(*ranks, config, routing, 1, 1); !all) return Fail(all.error());
  const int64_t rows = VolumeOf(config, DrawInputs(config, routing, false, 1)).rows;
  const int64_t row =
      part == Part::kDispatch ? DispatchRowBytes(config) : 2 * int64_t{config.hidden};
  Trial trial = {.bytes = Bytes(2 * rows * row), .sms = config.sms * config.ranks()};
  trial.kernel = [ranks, part, runs](const Runs& asked) -> Result<std::vector<Duration>> {
    const auto seconds = ranks->Seconds(part, 1 + std::min(runs, asked.most));
    if (!seconds) return Fail(seconds.error());
    std::vector<Duration> each;
    for (size_t i = 1; i < seconds->size(); ++i) each.push_back(Seconds((*seconds)[i]));
    return each;
  };
  return trial;
}

Config SizedAs(Config config, const Shape& shape) {
  config.nodes = static_cast<int>(At(shape, "nodes"));
  config.locals = static_cast<int>(At(shape, "locals"));
  config.hidden = static_cast<int>(At(shape, "hidden"));
  config.tokens = static_cast<int>(At(shape, "tokens"));
  return config;
}

Op ExchangeOp(const char* name, Part part, Device device,
              const std::function<Config(const Shape&)>& config) {
  Op op = {.name = name,
           .device = device,
           .truth = "a plain program that copies rows",
           .kind = part == Part::kDispatch ? measured::Kind::kDispatch : measured::Kind::kCombine,
           .pass = measured::Pass::kForward,
           .format = part == Part::kDispatch ? measured::Format::kFp8 : measured::Format::kBf16,
           .sizes = {{"tokens"}, {"hidden", exchange::kScaledBy}, {"sms_a_rank", 2}}};
  op.told = [config](const Shape& shape) -> Told {
    const Config c = config(shape);
    return {{{"tokens", c.tokens},
             {"sequence", c.tokens},
             {"hidden", c.hidden},
             {"heads", 1},
             {"experts", c.experts},
             {"experts_per_token", c.selected},
             {"expert_width", 1},
             {"shared_width", 0},
             {"expert_parallel", c.ranks()},
             {"recompute", 0}},
            c.sms * c.ranks()};
  };
  return op;
}

}  // namespace pipescope::kernels::bench
