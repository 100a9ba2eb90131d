// What exchanges over threads and over a GPU share as operations: who is drawn, what is counted.
#pragma once

#include "kernels/bench/op.h"
#include "kernels/exchange/bench.h"

namespace pipescope::kernels::bench {

// Each routing's check, on an exchange made anew.
using MakeExchange =
    std::function<Result<std::unique_ptr<exchange::Exchange>>(const exchange::Config&)>;
Status NoteRoutings(Checked& checked, const MakeExchange& make, const exchange::Config& config,
                    uint64_t seed);

// One part, ready to be done again, `runs` times or fewer where fewer are asked for. Its bytes are
// its rows, read once and written once.
Result<Trial> PartTrial(const MakeExchange& make, const exchange::Config& config,
                        exchange::Part part, int runs);

// Sizes of a shape with nodes, locals, hidden and tokens; the other fields are `config`'s.
exchange::Config SizedAs(exchange::Config config, const Shape& shape);

// `config` gives a shape's sizes what it does not say. A profile tells an exchange by the layer
// that it belongs to. This one has none: heads and widths of experts are 1, nothing is shared, and
// the sequence is all tokens, so that no model's layer is taken for it.
Op ExchangeOp(const char* name, exchange::Part part, Device device,
              const std::function<exchange::Config(const Shape&)>& config);

}  // namespace pipescope::kernels::bench
