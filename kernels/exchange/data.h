// What goes into an exchange and comes out, a value a rank, on the host.
//
// Layouts are those of plan.h's Rank: values are E4M3 codes or BF16, rows follow one another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/exchange/plan.h"

namespace pipescope::kernels::exchange {

struct DispatchInput {
  int tokens = 0;
  std::vector<std::byte> values;  // [tokens][value_bytes]
  std::vector<float> scales;      // [tokens][scales]
  std::vector<int32_t> experts;   // [tokens][selected], -1 for none
  std::vector<float> weights;     // [tokens][selected]
};

struct DispatchOutput {
  int rows = 0;
  std::vector<std::byte> values;
  std::vector<float> scales;
  std::vector<int32_t> experts;  // within the rank; -1 for another's
  std::vector<float> weights;
  std::vector<Source> sources;
  std::vector<int32_t> expert_rows;  // [experts of the rank], rounded up to the alignment
};

struct CombineInput {
  std::vector<std::byte> values;  // [rows][2 hidden]
  std::vector<float> weights;     // [rows][selected], or empty
};

struct CombineOutput {
  std::vector<std::byte> values;  // [tokens][2 hidden]
  std::vector<float> weights;     // [tokens][selected], or empty
};

// One rank's arrays as the protocol sees them; they must outlive it.
void SetDispatch(const DispatchInput& in, bool with_experts, DispatchOutput& out, Rank* rank);
void SetCombine(const CombineInput& in, bool weights, CombineOutput& out, Rank* rank);

// Room for `rows` rows, `tokens` tokens, filled with bytes that no test would take for data.
DispatchOutput PoisonedDispatch(const Config& config, int rows);
CombineOutput PoisonedCombine(const Config& config, int tokens, bool weights);

// Fails where an input's sizes or expert ids do not fit the configuration.
Status CheckInputs(const Config& config, const std::vector<DispatchInput>& inputs,
                   bool with_experts);
Status CheckInput(const Config& config, const DispatchInput& input, size_t rank, bool with_experts);
// The same of what goes into combine, after a dispatch that gave the rank `rows` rows.
Status CheckResults(const Config& config, const CombineInput& input, bool weights, int rows,
                    size_t rank);

}  // namespace pipescope::kernels::exchange
