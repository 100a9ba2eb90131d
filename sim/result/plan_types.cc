#include "sim/result/plan_types.h"

namespace pipescope {

std::vector<std::pair<std::string, std::string>> PlanChoice::Overrides() const {
  return {{"parallel.pipeline", std::to_string(pipeline)},
          {"parallel.data", std::to_string(data)},
          {"parallel.tensor", std::to_string(tensor)},
          {"parallel.expert", std::to_string(expert)},
          {"parallel.chunks", std::to_string(chunks)},
          {"training.micro_batch_size", std::to_string(micro_batch)},
          {"training.recompute", recompute},
          {"communication.sms", std::to_string(sms)},
          {"schedule", schedule}};
}

}  // namespace pipescope
