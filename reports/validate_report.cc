#include "reports/validate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/base/quantile.h"
#include "sim/base/quantity.h"

namespace pipescope::reports {
namespace {

bool Comparable(const ValidateCase& a, const ValidateCase& b) {
  return a.ranks == b.ranks && a.microbatches == b.microbatches && a.model == b.model;
}

// Two cases and those that either can be compared with.
class Pair {
 public:
  Pair(const ValidateResult& result, const ValidateCase& a, const ValidateCase& b) : a_(a), b_(b) {
    std::vector<double> runs, predictions;
    for (const ValidateCase& c : result.cases) {
      if (!Comparable(a, c)) continue;
      runs.push_back(c.noise);
      predictions.push_back(c.predicted_noise);
    }
    run_noise_ = Median(std::move(runs));
    prediction_noise_ = Median(std::move(predictions));
  }

  // By how much b took longer than a beyond the noise of both runs, in seconds.
  double Longer() const {
    return (b_.measured - a_.measured).seconds() -
           Margin(&ValidateCase::measured, &ValidateCase::noise, run_noise_);
  }
  double PredictionMargin() const {
    return Margin(&ValidateCase::predicted, &ValidateCase::predicted_noise, prediction_noise_);
  }

 private:
  // What both may be apart by chance.
  double Margin(Duration ValidateCase::*time, double ValidateCase::*noise, double least) const {
    return std::max(a_.*noise, least) * (a_.*time).seconds() +
           std::max(b_.*noise, least) * (b_.*time).seconds();
  }

  const ValidateCase &a_, &b_;
  double run_noise_ = 0, prediction_noise_ = 0;
};

// "2", "PP2 DP4" or "PP2 DP4 EP2".
std::string RanksOf(const ValidateCase& c) {
  if (c.replicas == 1) return fmt::format("{}", c.ranks);
  const auto experts = c.expert_ranks == 1 ? "" : fmt::format(" EP{}", c.expert_ranks);
  return fmt::format("PP{} DP{}{}", c.ranks, c.replicas, experts);
}

// Of one step nothing is known.
std::string NoiseOf(const ValidateCase& c, double noise) {
  return c.steps > 1 ? FormatPercent(noise) : "-";
}

std::string CaseLine(const ValidateCase& c, size_t width) {
  return fmt::format("{:<{}}{:<14}{:>12}{:>6}{:>12}{:>8}{:>12}{:>8}{:>9}{:>8}{:>9}{:>9}\n",
                     c.schedule, width, c.model, RanksOf(c), c.microbatches, Format(c.predicted),
                     NoiseOf(c, c.predicted_noise), Format(c.measured), NoiseOf(c, c.noise),
                     fmt::format("{:+.1f} %", 100 * c.error()), FormatPercent(c.others),
                     FormatPercent(c.predicted_bubble), FormatPercent(c.measured_bubble));
}

// "a message takes 1.2 us, ...".
std::string TransportOf(const ValidateResult& r) {
  if (r.transport == "mpi") {
    return fmt::format("{} process{} over MPI, whose clocks agree within {}", r.processes,
                       r.processes == 1 ? "" : "es", Format(r.clock_accuracy));
  }
  return fmt::format("a message takes {}, or {} to a rank that is not awake", Format(r.hop),
                     Format(r.hop_woken));
}

// "12 pairs of schedules differ by more than the noise of runs, 9 of them ...".
std::string PairsText(const Ranking& ranking) {
  const std::string pairs = ranking.pairs == 1
                                ? "1 pair of schedules differs"
                                : fmt::format("{} pairs of schedules differ", ranking.pairs);
  std::string clear = " and predictions";
  if (ranking.clear < ranking.pairs) {
    clear = ranking.pairs == 1
                ? ", not by more than that of predictions"
                : fmt::format(", {} of them by more than that of predictions too",
                              ranking.clear == 0 ? "none" : std::to_string(ranking.clear));
  }
  return pairs + " by more than the noise of runs" + clear;
}

std::string WrongText(const ValidateResult& result, const Ranking::Wrong& wrong) {
  const ValidateCase &faster = result.cases[wrong.faster], &slower = result.cases[wrong.slower];
  return fmt::format("{} ({}, {}, {} micro-batches) takes {} longer than {}, predicted {} less",
                     slower.schedule, slower.model,
                     slower.replicas == 1 ? fmt::format("{} ranks", slower.ranks) : RanksOf(slower),
                     slower.microbatches, FormatPercent(wrong.measured), faster.schedule,
                     FormatPercent(-wrong.predicted));
}

// A line for each model whose messages take processor time of their ends.
std::string EndsText(const ValidateResult& r) {
  std::string text;
  std::set<std::string> told;
  for (const ValidateCase& c : r.cases) {
    if (c.send + c.receive == Duration() || !told.insert(c.model).second) continue;
    // Receivers that wait awake are on the way when it leaves.
    const std::string between =
        c.hop == Duration() ? "" : fmt::format(", and {} between them", Format(c.hop));
    text += fmt::format(
        "{}A message of {} takes {} of its sender's processor, {} of its receiver's{}.\n",
        text.empty() ? "\n" : "", c.model, Format(c.send), Format(c.receive), between);
  }
  return text;
}

nlohmann::ordered_json CaseJson(const ValidateCase& c) {
  return {{"schedule", c.schedule},
          {"ranks", c.ranks},
          {"microbatches", c.microbatches},
          {"replicas", c.replicas},
          {"expert_ranks", c.expert_ranks},
          {"model", c.model},
          {"predicted_s", c.predicted.seconds()},
          {"measured_s", c.measured.seconds()},
          {"error", c.error()},
          {"noise", c.noise},
          {"predicted_noise", c.predicted_noise},
          {"steps", c.steps},
          {"other_speed", c.other_speed},
          {"others", c.others},
          {"predicted_bubble_rate", c.predicted_bubble},
          {"measured_bubble_rate", c.measured_bubble},
          {"first_loss", c.first_loss},
          {"last_loss", c.last_loss},
          {"equals_one_rank", c.equals_one_rank},
          {"hop_s", c.hop.seconds()},
          {"send_s", c.send.seconds()},
          {"receive_s", c.receive.seconds()}};
}

void AddRanking(const Ranking& ranking, nlohmann::ordered_json& json) {
  json["rank_order_kept"] = ranking.wrong.empty();
  json["ranked_pairs"] = ranking.pairs;
  json["clear_pairs"] = ranking.clear;
  json["ranked_wrong"] = nlohmann::ordered_json::array();
  for (const Ranking::Wrong& wrong : ranking.wrong) {
    json["ranked_wrong"].push_back({{"faster", wrong.faster},
                                    {"slower", wrong.slower},
                                    {"measured", wrong.measured},
                                    {"predicted", wrong.predicted},
                                    {"clear", wrong.clear}});
  }
}

}  // namespace

double MeanError(const ValidateResult& result) {
  double sum = 0;
  for (const ValidateCase& c : result.cases) sum += std::fabs(c.error());
  return result.cases.empty() ? 0 : sum / static_cast<double>(result.cases.size());
}

Ranking Rank(const ValidateResult& result) {
  Ranking ranking;
  for (size_t i = 0; i < result.cases.size(); ++i) {
    for (size_t j = 0; j < result.cases.size(); ++j) {
      const ValidateCase &a = result.cases[i], &b = result.cases[j];
      if (!Comparable(a, b)) continue;
      const Pair pair(result, a, b);
      if (pair.Longer() <= 0) continue;
      const bool clear = pair.Longer() > pair.PredictionMargin();
      ++ranking.pairs;
      ranking.clear += clear ? 1 : 0;
      if (a.predicted <= b.predicted) continue;
      ranking.wrong.push_back(
          {i, j, b.measured / a.measured - 1, b.predicted / a.predicted - 1, clear});
    }
  }
  std::stable_sort(ranking.wrong.begin(), ranking.wrong.end(),
                   [](const auto& a, const auto& b) { return a.measured > b.measured; });
  return ranking;
}

std::string RankingText(const ValidateResult& result) {
  const Ranking ranking = Rank(result);
  if (ranking.pairs == 0) return "no schedules differ by more than the noise of runs";
  const std::string pairs = PairsText(ranking);
  if (ranking.wrong.empty()) return pairs + ", ranked right";
  const auto wrong_clear = std::count_if(ranking.wrong.begin(), ranking.wrong.end(),
                                         [](const auto& wrong) { return wrong.clear; });
  std::string right = std::to_string(ranking.pairs - std::ssize(ranking.wrong));
  if (ranking.clear < ranking.pairs) right += fmt::format(" and {}", ranking.clear - wrong_clear);
  return fmt::format("{}: {} ranked right; {}", pairs, right,
                     WrongText(result, ranking.wrong.front()));
}

std::string RepetitionsText(const ValidateResult& r) {
  if (r.cases.empty()) return fmt::format("{} repetitions", r.repetitions);
  const auto [least, most] =
      std::minmax_element(r.cases.begin(), r.cases.end(),
                          [](const auto& a, const auto& b) { return a.steps < b.steps; });
  if (least->steps == most->steps) {
    return fmt::format("{} repetition{}", most->steps, most->steps == 1 ? "" : "s");
  }
  return fmt::format("{} to {} repetitions", least->steps, most->steps);
}

std::string OtherSpeedText(const ValidateResult& r) {
  int most = 0;
  for (const ValidateCase& c : r.cases) most = std::max(most, c.other_speed);
  if (most == 0) return "";
  return fmt::format(
      "Up to {} round{} of a group {} not count: the machine ran at another speed than in most.",
      most, most == 1 ? "" : "s", most == 1 ? "does" : "do");
}

bool AllEqualOneRank(const ValidateResult& result) {
  return std::all_of(result.cases.begin(), result.cases.end(),
                     [](const ValidateCase& c) { return c.equals_one_rank; });
}

std::string ValidateText(const ValidateResult& r) {
  size_t width = 16;  // of the longest name, which may be a file's
  for (const ValidateCase& c : r.cases) width = std::max(width, c.schedule.size());
  width += 2;
  std::string text = fmt::format(
      "{} on {}: {} processor{}, a load of {:.1f} when it began; {} of each, {}\n\n"
      "{:<{}}{:<14}{:>12}{:>6}{:>12}{:>8}{:>12}{:>8}{:>9}{:>8}{:>9}{:>9}\n",
      r.device, r.machine, r.processors, r.processors == 1 ? "" : "s", r.load, RepetitionsText(r),
      TransportOf(r), "schedule", width, "model", "ranks", "mbs", "predicted", "noise", "measured",
      "noise", "error", "others", "bubble", "measured");
  for (const ValidateCase& c : r.cases) text += CaseLine(c, width);
  text += EndsText(r);
  if (r.device == "emulated") {
    text +=
        "\nEmulated devices rehearse a run: their times, and how well they are predicted, say "
        "nothing.\n";
  }
  text += fmt::format("\nMean error {} in magnitude; {}.\n", FormatPercent(MeanError(r)),
                      RankingText(r));
  const ValidateCase* unequal = nullptr;
  for (const ValidateCase& c : r.cases) {
    if (!c.equals_one_rank) unequal = &c;
  }
  text += unequal == nullptr ? "Losses of all steps equal those of one rank, to the bit.\n"
                             : fmt::format("WRONG: losses of {} differ from those of one rank.\n",
                                           unequal->schedule);
  if (const std::string speed = OtherSpeedText(r); !speed.empty()) {
    text += speed + "\n";
  }
  double others = 0;
  for (const ValidateCase& c : r.cases) others = std::max(others, c.others);
  if (others > kUndisturbed) {
    text += fmt::format(
        "Others used up to {} of the processors meanwhile, so that these times say little: "
        "--patience waits for a quieter machine.\n",
        FormatPercent(others));
  }
  return text;
}

std::string ValidateJson(const ValidateResult& r) {
  nlohmann::ordered_json json = {{"device", r.device},
                                 {"machine", r.machine},
                                 {"transport", r.transport},
                                 {"processes", r.processes},
                                 {"clock_accuracy_s", r.clock_accuracy.seconds()},
                                 {"processors", r.processors},
                                 {"load", r.load},
                                 {"repetitions", r.repetitions},
                                 {"hop_s", r.hop.seconds()},
                                 {"hop_woken_s", r.hop_woken.seconds()}};
  json["cases"] = nlohmann::ordered_json::array();
  for (const ValidateCase& c : r.cases) json["cases"].push_back(CaseJson(c));
  json["mape"] = MeanError(r);
  AddRanking(Rank(r), json);
  json["equals_one_rank"] = AllEqualOneRank(r);
  return json.dump(2) + "\n";
}

}  // namespace pipescope::reports
