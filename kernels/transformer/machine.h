// Where a model runs, as a type: what its layers and stages are templates over.
//
// A machine M says what the pieces are
//   Parameter, Tensor, Tape     a weight matrix, a value with its gradient, a part's record
//   (tape.h) Choice, Routing             of experts (operations.h) Carrier, Carried, Arrived   rows
//   to the experts of other ranks (expert_rows.h) Payload, Loss               what travels between
//   stages; a loss, perhaps not known yet
// and makes them: Weights(name, rows, columns, spread, bf16), MakeTape(model, communication). The
// operations (Norm, Linear, Attend, ...) are functions in the namespace of its Tensor and Tape.
//
// OnCpu is this folder's; device/ has the one whose tensors are in a GPU's memory.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/transformer/config.h"
#include "kernels/transformer/operations.h"
#include "kernels/transformer/parameter.h"
#include "kernels/transformer/row_operations.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer {

struct OnCpu {
  using Parameter = transformer::Parameter;
  using Tensor = transformer::Tensor;
  using Tape = transformer::Tape;
  using Choice = transformer::Choice;
  using Routing = transformer::Routing;
  using Carrier = ExpertCarrier;
  using Carried = ExpertRows;
  using Arrived = ArrivedTensors;
  using Payload = std::vector<float>;
  using Loss = double;

  Parameter Weights(std::string name, int64_t rows, int64_t columns, double spread,
                    bool bf16) const {
    return Parameter(std::move(name), rows, columns, spread, bf16);
  }
  Tape MakeTape(const ModelConfig& model, bool /*communication*/) const {
    return Tape(model.bf16, model.fp8);
  }
};

}  // namespace pipescope::transformer
