// A rank's device as the machine (transformer/machine.h) that a model's layers and stages run on.
#pragma once

#include <string>
#include <utility>

#include "kernels/transformer/device/rows.h"
#include "kernels/transformer/stage.h"

namespace pipescope::transformer::device {

struct OnDevice {
  using Parameter = device::Parameter;
  using Tensor = device::Tensor;
  using Tape = device::Tape;
  using Choice = device::Choice;
  using Routing = device::Routing;
  using Carrier = device::Carrier;
  using Carried = device::Carried;
  using Arrived = device::Arrived;
  using Payload = Travelling;
  using Loss = device::Loss;

  Home* home = nullptr;  // outlives all that is made

  Parameter Weights(std::string name, int64_t rows, int64_t columns, double spread,
                    bool /*bf16*/) const {
    return Parameter(std::move(name), rows, columns, spread, *home->compute, *home->pool);
  }
  Tape MakeTape(const ModelConfig&, bool communication) const {
    return Tape(*home, communication ? *home->communication : *home->compute);
  }
};

using Stage = BasicStage<OnDevice>;

}  // namespace pipescope::transformer::device
