#include "sim/stages.h"

namespace pipescope {

Result<Stages> ChooseLayout(const Experiment& e, int stages) {
  for (const std::string& text : e.layouts) {
    auto layout = model::ParseLayout(text, e.model);
    if (!layout) return Fail(Error{layout.error().message, e.places.layouts, "layouts"});
    if (static_cast<int>(layout->size()) == stages) return Stages{*std::move(layout), true};
  }
  auto balanced = model::BalancedLayout(e.model, stages);
  if (!balanced) {
    return Fail(Error{balanced.error().message, e.places.pipeline, "parallel.pipeline"});
  }
  return Stages{*std::move(balanced), false};
}

}  // namespace pipescope
