#include "sim/make_schedule.h"

#include <fmt/format.h>

#include <utility>

#include "schedules/registry.h"
#include "schedules/schedule_file.h"
#include "sim/profile.h"

namespace pipescope {
namespace {

// Points at the experiment's own line where the schedule is its choice, not the command's.
Error About(const Experiment& e, const std::string& schedule, const std::string& message) {
  if (schedule == e.schedule) return {message, e.places.schedule, "schedule"};
  return {fmt::format("schedule {}: {}", schedule, message), {e.file}};
}

// What a family asks of its options is asked here of the fields that they come from.
Error Refused(const Experiment& e, const std::string& schedule, const std::string& message) {
  const std::string_view ranks = "--ranks ";
  const std::string_view microbatches = "--microbatches ";
  const std::string_view chunks = "--chunks ";
  if (message.starts_with(chunks)) {
    return {message.substr(chunks.size()), e.places.chunks, "parallel.chunks"};
  }
  if (message.starts_with(ranks)) {
    return {message.substr(ranks.size()), e.places.pipeline, "parallel.pipeline"};
  }
  if (message.starts_with(microbatches)) {
    return {fmt::format("{} / (data x micro_batch_size) = {}", e.training.global_batch,
                        message.substr(microbatches.size())),
            e.places.global_batch, "training.global_batch"};
  }
  return About(e, schedule, message);
}

// The experiment's own schedule must take its chunks; one that it is compared with may have a fixed
// number of them.
bool TakesChunks(const Experiment& e, const std::string& name, const schedules::Family& family) {
  return family.least_chunks > 0 || name == e.schedule;
}

Result<MadeSchedule> FromFamily(const Experiment& e, const std::string& name) {
  MadeSchedule result;
  schedules::Options options{e.parallel.pipeline, e.microbatches()};
  const auto family = schedules::FindFamily(name);
  if (family && e.parallel.chunks > 0 && TakesChunks(e, name, **family)) {
    options.chunks = e.parallel.chunks;
  }
  if (family && (*family)->automatic) {
    const auto placement =
        (*family)->chunks == 1 ? schedules::Placement::kLinear : schedules::Placement::kV;
    auto profile = ProfileOf(e, placement);
    if (!profile) {
      const bool placed = !profile.error().field.empty();  // a line of the experiment is at fault
      return Fail(placed ? profile.error() : About(e, name, profile.error().message));
    }
    result.made_for = ProfileText(*profile);
    options.profile = std::move(*profile);
  }
  auto made = schedules::Generate(name, options);
  if (!made) return Fail(Refused(e, name, made.error().message));
  if (made->slices > 1) {
    // Its slices are not whole micro-batches: a later one attends to more, and costs more.
    return Fail(About(e, name,
                      fmt::format("cuts sequences into {} slices, whose operations are not "
                                  "modelled; see it at `schedule show {}`, expected a schedule "
                                  "of whole sequences",
                                  made->slices, name)));
  }
  result.schedule = std::move(*made);
  return result;
}

Result<MadeSchedule> FromFile(const Experiment& e, const std::string& name) {
  auto read = schedules::ReadScheduleFile(name);
  if (!read) return Fail(read.error());
  const schedules::Schedule& order = read->schedule;
  if (order.ranks != e.parallel.pipeline || order.microbatches != e.microbatches()) {
    return Fail(
        About(e, name,
              fmt::format("holds {} ranks and {} micro-batches; the plan has {} and {}",
                          order.ranks, order.microbatches, e.parallel.pipeline, e.microbatches())));
  }
  return MadeSchedule{std::move(read->schedule), ""};
}

}  // namespace

Result<MadeSchedule> MakeSchedule(const Experiment& e, const std::string& name) {
  return name.ends_with(".csv") ? FromFile(e, name) : FromFamily(e, name);
}

}  // namespace pipescope
