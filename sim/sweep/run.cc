#include "sim/sweep/run.h"

#include <mutex>

#include "sim/base/parallel.h"
#include "sim/simulate.h"

namespace pipescope::sweep {
namespace {

std::vector<std::string> With(const Sweep& sweep, const std::vector<Override>& overrides) {
  std::vector<std::string> all = sweep.overrides;
  for (const auto& [path, value] : overrides) all.push_back(path + "=" + value);
  return all;
}

// An error's text is a line of a file: names in it may hold anything.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return text;
}

}  // namespace

Status CheckSweep(const Sweep& sweep) {
  const auto base = LoadExperiment(sweep.experiment, sweep.overrides);
  // Axes may set what the file lacks, or mend what does not fit; a name that is not known stays so.
  const auto first = LoadExperiment(sweep.experiment, With(sweep, sweep.grid.At(0)));
  if (first) return {};
  const bool unknown = first.error().message.starts_with("unknown name");
  if (unknown || (!base && base.error().ToString() == first.error().ToString())) {
    return Fail(first.error());
  }
  return {};
}

SweepPoint RunPoint(const Sweep& sweep, int64_t index) {
  SweepPoint point;
  point.index = index;
  point.overrides = sweep.grid.At(index);
  auto experiment = LoadExperiment(sweep.experiment, With(sweep, point.overrides));
  if (!experiment) {
    point.error = OneLine(experiment.error().ToString());
    return point;
  }
  experiment->enforce_memory = false;  // what does not fit has figures all the same
  auto figures = SimulateFigures(*experiment, experiment->schedule, sweep.fidelity);
  if (figures) {
    point.figures = *std::move(figures);
  } else {
    point.error = OneLine(figures.error().ToString());
  }
  return point;
}

void RunPoints(const Sweep& sweep, const std::vector<int64_t>& points, int jobs,
               const std::function<bool(const SweepPoint&)>& done, std::atomic<bool>& stop) {
  std::mutex mutex;
  const auto work = [&](int64_t i) {
    const SweepPoint point = RunPoint(sweep, points[static_cast<size_t>(i)]);
    const std::lock_guard lock(mutex);
    if (!done(point)) stop = true;
  };
  ParallelFor(jobs, static_cast<int64_t>(points.size()), work, &stop);
}

}  // namespace pipescope::sweep
