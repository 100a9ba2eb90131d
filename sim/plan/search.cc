#include "sim/plan/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <tuple>

#include "sim/base/parallel.h"
#include "sim/base/quantity.h"
#include "sim/make_schedule.h"
#include "sim/plan/bounds.h"
#include "sim/plan/front.h"
#include "sim/simulate.h"
#include "sim/stages.h"

namespace pipescope::plan {
namespace {

// Not yet simulated, and within memory.
struct Candidate {
  PlanChoice choice;
  size_t structure = 0;  // of Searching::experiments_
  Standing least;
};

constexpr size_t kRound = 32;  // simulated between two looks at what is still worth it

class Searching {
 public:
  Searching(const Question& question, const Experiment& base) : q_(question) {
    report_.experiment = base.name;
    report_.experiment_file = base.file;
    report_.model = base.model.name;
    report_.cluster = base.cluster.name;
    report_.limit = q_.limit;
    report_.front_within = q_.front_within;
    report_.tokens = base.training.global_batch * base.training.sequence_length;
  }

  // Loads every structure and bounds every plan of it.
  void Bound(const std::vector<Structure>& structures, const std::vector<Pattern>& patterns) {
    experiments_.resize(structures.size());
    ParallelFor(q_.jobs, static_cast<int64_t>(structures.size()),
                [&](int64_t i) { BoundStructure(structures, static_cast<size_t>(i), patterns); });
    std::sort(candidates_.begin(), candidates_.end(), Before);
  }

  void Simulate() {
    for (size_t next = 0; next < candidates_.size();) {
      std::vector<const Candidate*> round;
      for (; next < candidates_.size() && round.size() < kRound; ++next) {
        if (Matters(candidates_[next])) {
          round.push_back(&candidates_[next]);
        } else {
          ++report_.counts.bound;
        }
      }
      SimulateRound(round);
      Tell("decided", static_cast<int64_t>(next), static_cast<int64_t>(candidates_.size()));
    }
  }

  PlanReport Take() {
    for (PlanEntry& entry : FrontOf(found_)) {
      if (CheapEnough(StandingOf(entry))) report_.front.push_back(std::move(entry));
    }
    SortByTime(found_);
    if (found_.size() > q_.top) found_.resize(q_.top);
    report_.best = std::move(found_);
    return std::move(report_);
  }

 private:
  // By least time; ties by what tells plans apart, so that threads do not decide.
  static bool Before(const Candidate& a, const Candidate& b) {
    const auto key = [](const Candidate& c) {
      return std::tie(c.least.time, c.least.memory, c.structure, c.choice.schedule, c.choice.chunks,
                      c.choice.sms);
    };
    return key(a) < key(b);
  }

  std::vector<std::string> OverridesOf(const Structure& s) const {
    std::vector<std::string> all = q_.overrides;
    all.push_back(fmt::format("parallel.pipeline={}", s.pipeline));
    all.push_back(fmt::format("parallel.data={}", s.data));
    all.push_back(fmt::format("parallel.tensor={}", s.tensor));
    all.push_back(fmt::format("parallel.expert={}", s.expert));
    all.push_back(fmt::format("training.micro_batch_size={}", s.micro_batch));
    all.push_back("training.recompute=" + s.recompute);
    return all;
  }

  void BoundStructure(const std::vector<Structure>& structures, size_t index,
                      const std::vector<Pattern>& patterns) {
    const Structure& s = structures[index];
    const auto plans = static_cast<int64_t>(patterns.size() * q_.space.sms.size());
    PlanCounts counts;
    counts.considered = plans;
    std::vector<Candidate> made;
    auto loaded = LoadExperiment(q_.experiment, OverridesOf(s));
    std::optional<costs::Spread> spread;
    if (loaded) {
      loaded->cluster.gpu.memory = q_.limit;
      loaded->enforce_memory = true;
      if (const auto found = costs::SpreadOf(loaded->model, s.expert, loaded->cluster.node.gpus)) {
        spread = *found;
      }
    }
    if (!spread) {
      counts.impossible += plans;
    } else if (const auto stages = ChooseLayout(*loaded, s.pipeline);
               stages && LeastMemory(*loaded, stages->layout) > q_.limit) {
      counts.parameters += plans;
    } else {
      for (const Pattern& pattern : patterns) {
        BoundPattern(*loaded, s, index, pattern, *spread, counts, made);
      }
    }
    const std::lock_guard lock(mutex_);
    if (!made.empty()) experiments_[index] = std::move(*loaded);
    candidates_.insert(candidates_.end(), made.begin(), made.end());
    Add(counts);
    Tell("bounded", report_.counts.considered, static_cast<int64_t>(structures.size()) * plans);
  }

  void BoundPattern(Experiment e, const Structure& s, size_t index, const Pattern& pattern,
                    const costs::Spread& spread, PlanCounts& counts, std::vector<Candidate>& made) {
    e.schedule = pattern.schedule;
    e.parallel.chunks = pattern.chunks;
    const auto count = static_cast<int64_t>(q_.space.sms.size());
    const auto schedule = MakeSchedule(e, pattern.schedule);
    const auto stages = schedule ? ChooseLayout(e, schedule->schedule.stages)
                                 : Result<Stages>(Fail(schedule.error()));
    if (!stages) {
      counts.impossible += count;
      return;
    }
    const Bytes memory = PeakMemory(e, schedule->schedule, stages->layout);
    if (memory > q_.limit) {
      counts.memory += count;
      return;
    }
    for (const int sms : q_.space.sms) {
      e.communication.sms = sms;
      Candidate c;
      c.choice = {s.gpus,        s.pipeline,  s.data,           s.tensor,       s.expert,
                  s.micro_batch, s.recompute, pattern.schedule, pattern.chunks, sms};
      c.structure = index;
      c.least = {LeastTime(e, schedule->schedule, stages->layout, spread), memory, s.gpus};
      made.push_back(std::move(c));
    }
  }

  void Tell(const char* what, int64_t done, int64_t of) const {
    if (q_.progress) q_.progress(what, done, of);
  }

  void Add(const PlanCounts& c) {
    PlanCounts& all = report_.counts;
    all.considered += c.considered;
    all.impossible += c.impossible;
    all.parameters += c.parameters;
    all.memory += c.memory;
  }

  static double GpuTime(const Standing& s) { return s.time.seconds() * s.gpus; }

  // For the front. What is found gets cheaper as the search goes on, so that nothing is left out
  // on the way that would be cheap enough at its end.
  bool CheapEnough(const Standing& s) const { return GpuTime(s) <= q_.front_within * cheapest_; }

  bool Matters(const Candidate& c) const {
    if (q_.exhaustive || found_.size() < q_.top || c.least.time <= slowest_of_best_) return true;
    if (!CheapEnough(c.least)) return false;
    return std::none_of(front_.begin(), front_.end(),
                        [&](const Standing& other) { return other.Covers(c.least); });
  }

  void SimulateRound(const std::vector<const Candidate*>& round) {
    std::vector<std::optional<PlanEntry>> entries(round.size());
    ParallelFor(q_.jobs, static_cast<int64_t>(round.size()), [&](int64_t i) {
      const Candidate& c = *round[static_cast<size_t>(i)];
      Experiment e = experiments_[c.structure];
      e.schedule = c.choice.schedule;
      e.parallel.chunks = c.choice.chunks;
      e.communication.sms = c.choice.sms;
      if (auto figures = SimulateFigures(e, e.schedule)) {
        entries[static_cast<size_t>(i)] = {c.choice, c.least.time, *std::move(figures)};
      }
    });
    for (std::optional<PlanEntry>& entry : entries) {
      ++(entry ? report_.counts.simulated : report_.counts.refused);
      if (!entry) continue;
      cheapest_ = std::min(cheapest_, GpuTime(StandingOf(*entry)));
      found_.push_back(std::move(*entry));
    }
    SortByTime(found_);
    if (found_.size() >= q_.top) slowest_of_best_ = found_[q_.top - 1].figures.step_time;
    front_.clear();
    for (const PlanEntry& entry : FrontOf(found_)) front_.push_back(StandingOf(entry));
  }

  const Question& q_;
  std::mutex mutex_;
  std::vector<Experiment> experiments_;  // by structure; empty where no plan of it is left
  std::vector<Candidate> candidates_;
  std::vector<PlanEntry> found_;
  std::vector<Standing> front_;
  Duration slowest_of_best_;
  double cheapest_ = std::numeric_limits<double>::infinity();  // GPU seconds of a step
  PlanReport report_;
};

// The experiment's own plan is replaced: it need not fit, but all else must be right.
Result<Experiment> LoadBase(const Question& q) {
  std::vector<std::string> overrides = q.overrides;
  for (const char* one : {"pipeline", "data", "tensor", "expert"}) {
    overrides.push_back(fmt::format("parallel.{}=1", one));
  }
  overrides.emplace_back("training.micro_batch_size=1");
  return LoadExperiment(q.experiment, overrides);
}

Status CheckGpus(const Space& space, const Experiment& base) {
  for (const int gpus : space.gpus) {
    if (gpus <= base.cluster.gpus()) continue;
    return Fail(fmt::format("--gpus {}: the topology '{}' has {}", gpus, base.cluster.name,
                            base.cluster.gpus()));
  }
  for (const int sms : space.sms) {
    if (sms < base.cluster.gpu.sms) continue;
    return Fail(
        fmt::format("--sms {}: expected less than the GPU's {}", sms, base.cluster.gpu.sms));
  }
  return {};
}

// Times of stages hold for the micro-batch, the split and the recomputation they were measured
// with.
Status CheckCosts(const Question& q, const Experiment& base) {
  if (!base.stage_scale.measured) return {};
  return Fail(
      Error{"costs.stages were measured on one plan and say nothing of others: expected "
            "the analytic model, a profile or an efficiency_file",
            {q.experiment}});
}

Error NoPlan(const Question& q, const PlanCounts& c) {
  return {fmt::format("no plan fits: of {} considered {} are impossible (they do not divide, or "
                      "the schedule cannot be built), {} need more than {} for parameters and "
                      "gradients alone, {} in all, {} were refused; expected more memory, more "
                      "GPUs or more values to choose from",
                      c.considered, c.impossible, c.parameters, FormatGiB(q.limit), c.memory,
                      c.refused),
          {q.experiment}};
}

}  // namespace

Result<PlanReport> Search(const Question& asked) {
  Question q = asked;
  const auto base = LoadBase(q);
  if (!base) return Fail(base.error());
  q.space = DefaultSpace(q.space, *base);
  if (q.limit == Bytes()) q.limit = base->cluster.gpu.memory;
  if (auto ok = CheckGpus(q.space, *base); !ok) return Fail(ok.error());
  if (auto ok = CheckCosts(q, *base); !ok) return Fail(ok.error());
  const auto structures = StructuresOf(q.space, base->parallel.context);
  if (!structures) return Fail(structures.error());
  const auto patterns = PatternsOf(q.space);
  if (!patterns) return Fail(patterns.error());
  Searching searching(q, *base);
  searching.Bound(*structures, *patterns);
  searching.Simulate();
  PlanReport report = searching.Take();
  if (report.best.empty()) return Fail(NoPlan(q, report.counts));
  return report;
}

}  // namespace pipescope::plan
