#include <fmt/format.h>

#include <numeric>

#include "cli/explain.h"
#include "sim/base/quantity.h"
#include "sim/model/operations.h"

namespace pipescope::cli {
namespace {

std::string Time(double seconds) { return Format(Seconds(seconds)); }

double Sum(const std::vector<Duration>& times) {
  double sum = 0;
  for (const Duration time : times) sum += time.seconds();
  return sum;
}

Explanation StepTime(const StepResult& r) {
  const double pipeline = r.timeline.pipeline_end.seconds();
  const double after = (r.timeline.end - r.timeline.pipeline_end).seconds();
  return {"step_time_s",
          "one step, from its first action to the end of the optimizer and what it waits for",
          "pipeline_time + step_end",
          {{"pipeline_time", Time(pipeline), "until the last action ends: pipeline_time_s"},
           {"step_end", Time(after), "gradients not yet reduced, clipping, optimizer, gather"}},
          pipeline + after,
          r.step_time.seconds(),
          Time(pipeline + after)};
}

Explanation PipelineTime(const StepResult& r) {
  const double ranks = r.timeline.ranks;
  const double busy = Sum(r.bubbles.busy) / ranks, bubble = Sum(r.bubbles.per_rank) / ranks;
  return {"pipeline_time_s",
          "from the first action's start to the last one's end",
          "busy + bubble, as on every rank",
          {{"busy", Time(busy), "time in actions, mean over ranks"},
           {"bubble", Time(bubble), "time in none, mean over ranks: breakdown_s.bubble"}},
          busy + bubble,
          r.timeline.pipeline_end.seconds(),
          Time(busy + bubble)};
}

Explanation TokensPerSecond(const Experiment& e, const StepResult& r, bool of_day) {
  const double step = r.step_time.seconds();
  const double sequences = static_cast<double>(e.training.global_batch);
  const double length = static_cast<double>(e.training.sequence_length);
  const double rate = sequences * length / step * (of_day ? 86400 : 1);
  Explanation x = {of_day ? "tokens_per_day" : "tokens_per_second",
                   "tokens trained on by all GPUs together",
                   "global_batch x sequence_length / step_time",
                   {{"global_batch", fmt::format("{}", e.training.global_batch),
                     "sequences of a step, over all replicas"},
                    {"sequence_length", fmt::format("{}", e.training.sequence_length), "tokens"},
                    {"step_time", Time(step), "step_time_s"}},
                   rate,
                   of_day ? r.tokens_per_day : r.tokens_per_second,
                   FormatCount(rate)};
  if (of_day) x.formula += " x 86400 s";
  return x;
}

Explanation Mfu(const Experiment& e, const StepResult& r, bool causal) {
  const double flops =
      model::TrainingFlopsPerToken(e.model, e.training.sequence_length, causal).value();
  const double peak = e.cluster.gpu.bf16.value();
  const double value = r.tokens_per_second * flops / (peak * e.gpus());
  return {causal ? "mfu.causal" : "mfu.non_causal",
          "share of the GPUs' BF16 peak that the model's own FLOPs make up, recomputation left out",
          "tokens_per_second x flops_per_token / (gpus x peak)",
          {{"tokens_per_second", FormatCount(r.tokens_per_second), "tokens_per_second"},
           {"flops_per_token", FormatCount(flops) + "FLOP",
            causal ? "6 a multiplied parameter, and attention to what comes before"
                   : "6 a multiplied parameter, and attention to the whole sequence"},
           {"gpus", fmt::format("{}", e.gpus()), ""},
           {"peak", Format(e.cluster.gpu.bf16), "of a " + e.cluster.gpu.name + ", BF16, dense"}},
          value,
          causal ? r.mfu_causal : r.mfu_non_causal,
          FormatPercent(value, 2)};
}

Explanation BubbleRate(const StepResult& r) {
  const double busy = Sum(r.bubbles.busy) / r.timeline.ranks;
  const double pipeline = r.timeline.pipeline_end.seconds();
  return {"bubble.makespan_rate",
          "share of the pipeline's time in which the mean rank runs no action",
          "1 - busy / pipeline_time",
          {{"busy", Time(busy), "time in actions, mean over ranks"},
           {"pipeline_time", Time(pipeline), "pipeline_time_s"}},
          1 - busy / pipeline,
          r.bubbles.makespan_rate,
          FormatPercent(1 - busy / pipeline, 2)};
}

Explanation Bubble(const StepResult& r) {
  static constexpr const char* kWhat[] = {
      "until a rank's first backward work", "after its last forward work",
      "the awaited action had not ended", "the awaited message was under way",
      "the slowest rank has more work"};
  Explanation x = {"breakdown_s.bubble",
                   "time in which a rank runs no action, mean over ranks",
                   "",
                   {},
                   0,
                   r.mean_breakdown().bubble.seconds(),
                   ""};
  for (size_t c = 0; c < r.bubbles.by_cause.size(); ++c) {
    const double seconds = r.bubbles.by_cause[c].seconds() / r.timeline.ranks;
    const std::string name = timeline::Name(static_cast<timeline::GapCause>(c));
    x.formula += (c == 0 ? "" : " + ") + name;
    x.terms.push_back({name, Time(seconds), kWhat[c]});
    x.value += seconds;
  }
  x.shown = Time(x.value);
  return x;
}

struct BreakdownPart {
  const char* name;
  const char* meaning;
  Duration timeline::Breakdown::*member;
};

constexpr BreakdownPart kParts[] = {
    {"forward", "computing forward work outside overlapped pairs", &timeline::Breakdown::forward},
    {"backward_input", "computing input gradients outside overlapped pairs",
     &timeline::Breakdown::backward_input},
    {"backward_weight", "computing weight gradients outside overlapped pairs",
     &timeline::Breakdown::backward_weight},
    {"overlapped", "computing in overlapped pairs", &timeline::Breakdown::overlapped},
    {"exposed_communication",
     "waiting, inside an action or at the step's end, for the rank's own communication",
     &timeline::Breakdown::exposed_communication},
    {"optimizer", "the optimizer at work after the pipeline's end",
     &timeline::Breakdown::optimizer}};

Explanation BreakdownMean(const StepResult& r, const BreakdownPart& part) {
  Explanation x = {std::string("breakdown_s.") + part.name,
                   part.meaning,
                   "sum over ranks / ranks",
                   {},
                   0,
                   (r.mean_breakdown().*part.member).seconds(),
                   ""};
  for (size_t i = 0; i < r.breakdown.size(); ++i) {
    const double seconds = (r.breakdown[i].*part.member).seconds();
    x.value += seconds / static_cast<double>(r.breakdown.size());
    x.terms.push_back({fmt::format("rank {}", i), Time(seconds), ""});
  }
  x.shown = Time(x.value);
  return x;
}

}  // namespace

std::vector<Explanation> ExplainTimes(const Experiment& e, const StepResult& r) {
  std::vector<Explanation> list = {StepTime(r),
                                   PipelineTime(r),
                                   TokensPerSecond(e, r, false),
                                   TokensPerSecond(e, r, true),
                                   Mfu(e, r, true),
                                   Mfu(e, r, false),
                                   BubbleRate(r),
                                   Bubble(r)};
  for (const BreakdownPart& part : kParts) list.push_back(BreakdownMean(r, part));
  return list;
}

}  // namespace pipescope::cli
