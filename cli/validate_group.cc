#include "cli/validate_group.h"

#include <fmt/format.h>

#include "schedules/registry.h"
#include "schedules/schedule_file.h"

namespace pipescope::cli {
namespace {

Result<schedules::Schedule> Read(const ValidateGroup& group, const std::string& name) {
  if (!name.ends_with(".csv")) {
    return schedules::Generate(name, {group.ranks, group.microbatches});
  }
  auto read = schedules::ReadScheduleFile(name);
  if (!read) return Fail(read.error());
  const schedules::Schedule& order = read->schedule;
  if (order.ranks != group.ranks || order.microbatches != group.microbatches) {
    return Fail(
        fmt::format("{}: holds {} ranks and {} micro-batches, not {} and {}: expected --ranks {} "
                    "--microbatches {}",
                    name, order.ranks, order.microbatches, group.ranks, group.microbatches,
                    order.ranks, order.microbatches));
  }
  return std::move(read->schedule);
}

}  // namespace

Result<transformer::ModelConfig> ModelOf(const ValidateGroup& group) {
  auto found = transformer::FindModel(group.model);
  if (!found) return found;
  transformer::ModelConfig& model = *found;
  if (model.dense_layers == model.layers) model.dense_layers = group.layers;
  model.layers = group.layers;
  if (group.expert_ranks > 1) model.expert_groups = group.expert_ranks;
  model.bf16 = group.bf16;
  model.fp8 = group.fp8;
  return found;
}

Result<schedules::Schedule> ScheduleOf(const ValidateGroup& group,
                                       const transformer::ModelConfig& model,
                                       const std::string& name) {
  auto schedule = Read(group, name);
  if (!schedule) return schedule;
  if (schedule->stages > model.layers) {
    return Fail(fmt::format("{} has {} stages: expected --layers {} or more", name,
                            schedule->stages, schedule->stages));
  }
  if (Status ok = transformer::CheckRun(model, *schedule); !ok) return Fail(ok.error());
  return schedule;
}

Status CheckGroup(const ValidateGroup& group, const std::vector<std::string>& schedules) {
  const auto model = ModelOf(group);
  if (!model) return Fail(model.error());
  for (const std::string& name : schedules) {
    const auto schedule = ScheduleOf(group, *model, name);
    if (!schedule) return Fail(schedule.error());
  }
  return {};
}

}  // namespace pipescope::cli
