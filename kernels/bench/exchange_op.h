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

// `runs` of one part after one that does not count, and the bytes that its rows are: read once and
// written once.
struct PartRuns {
  std::vector<Duration> each;
  Bytes bytes;
};
Result<PartRuns> RunPart(const MakeExchange& make, const exchange::Config& config,
                         exchange::Part part, int runs);

// Sizes of a shape with nodes, locals, hidden and tokens; the other fields are `config`'s.
exchange::Config SizedAs(exchange::Config config, const Shape& shape);

Op ExchangeOp(const char* name, exchange::Part part, Device device);

}  // namespace pipescope::kernels::bench
