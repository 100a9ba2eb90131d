// A step's end, of rank.h.
#include <fmt/format.h>

#include <utility>

#include "kernels/transformer/device/rank.h"
#include "kernels/transformer/parameter.h"

namespace pipescope::transformer::device {

using executor::Steps;
using timeline::Lane;

Status Rank::GiveSums() {
  for (const auto& [p, place] : places_) {
    if (auto ok = meeting_->GiveSum(p->name(), step_, place, p->TakeSum()); !ok) return ok;
  }
  return {};
}

Status Rank::AddSums() {
  home_.compute->Zero(inexact_->as<void>(), sizeof(int32_t));
  for (const auto& [p, place] : places_) {
    const auto sums = meeting_->TakeSums(p->name(), step_);
    if (!sums) return Fail(sums.error());
    p->SetGradient(*sums, inexact_->as<int32_t>());
  }
  return {};
}

Status Rank::Update() {
  for (const auto& [p, place] : places_) p->Update(t_.adamw, step_);
  ++step_;
  int32_t inexact = 0;
  home_.compute->Download(&inexact, inexact_->as<void>(), sizeof(inexact));
  for (Kernels* queue : {home_.compute, home_.communication}) {
    if (auto ok = queue->Finish(); !ok) return ok;
  }
  if (auto ok = meeting_->Finish(); !ok) return ok;
  if (carrier_ != nullptr) {
    if (auto ok = carrier_->Finish(); !ok) return ok;
  }
  if (inexact == 0 || t_.alone) return {};  // made up: they have no bound
  return Fail(fmt::format("a gradient is above {} or not a number", kLargestSum));
}

Steps Rank::StepEnd() {
  Steps steps;
  const auto add = [&](int32_t label, std::function<Status()> run) {
    steps.list.push_back({label, Lane::kCompute, {}, std::move(run), nullptr});
  };
  add(GradientsOutLabel(), [this] { return GiveSums(); });
  add(GradientsInLabel(), [this] { return AddSums(); });
  add(OptimizerLabel(), [this] { return Update(); });
  return OnQueues(std::move(steps));
}

}  // namespace pipescope::transformer::device
