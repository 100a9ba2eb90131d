// What dispatch and combine must give, as plain loops over all ranks: no channels, no rings, no
// threads, and none of the protocol's code.
//
//   dispatch  rank r receives, by home and then by token, each token that has an expert on r, once
//   combine   a token's result is the sum of the rows that dispatch made of it
//
// CombineTruth adds as combine.h promises (FP32 in a fixed order, BF16 after each hop): equality to
// the bit is expected. CombineWide adds in double: what the rounding is judged by.
#pragma once

#include <vector>

#include "kernels/exchange/data.h"

namespace pipescope::kernels::exchange {

std::vector<DispatchOutput> DispatchTruth(const Config& config,
                                          const std::vector<DispatchInput>& inputs);

// `inputs` are dispatch's, which say what goes where; `results` the rows of each rank.
std::vector<CombineOutput> CombineTruth(const Config& config,
                                        const std::vector<DispatchInput>& inputs,
                                        const std::vector<CombineInput>& results, bool weights);

// [rank][tokens x hidden]: sums in double, and the sums of magnitudes that bound their rounding.
struct WideSums {
  std::vector<std::vector<double>> sums;
  std::vector<std::vector<double>> magnitudes;
};
WideSums CombineWide(const Config& config, const std::vector<DispatchInput>& inputs,
                     const std::vector<CombineInput>& results);

}  // namespace pipescope::kernels::exchange
