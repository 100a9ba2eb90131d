#include "kernels/bench/rounds.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "kernels/bench/cpu_timer.h"

namespace pipescope::kernels::bench {
namespace {

constexpr double kNear = 1.1;  // of the best pace

// One shape through all rounds.
class Candidate {
 public:
  Candidate(const Op& op, const Shape& shape, int sms) : op_(op), shape_(shape), sms_(sms) {}

  // Ready from here on, if it moves no more than `room`, which gets less.
  void MakeReady(int64_t& room) {
    Result<Trial> trial = Make();
    if (!trial || trial->bytes.value() > room) return;
    room -= trial->bytes.value();
    ready_ = *std::move(trial);
  }

  void TimeRound(const Runs& runs) {
    if (failure_) return;
    Result<Timed> timed = TimeOnce(runs);
    if (timed) {
      rounds_.push_back(*std::move(timed));
    } else {
      failure_ = timed.error();
    }
  }

  Result<Timed> Counted(const std::vector<bool>& counts) const {
    if (failure_) return Fail(*failure_);
    Timed all = rounds_.front();
    all.each.clear();
    all.baseline_each.clear();
    for (size_t i = 0; i < rounds_.size(); ++i) {
      if (!counts[i]) continue;
      Append(rounds_[i].each, all.each, all.rounds);
      Append(rounds_[i].baseline_each, all.baseline_each, all.baseline_rounds);
    }
    return all;
  }

 private:
  Result<Trial> Make() const {
    Result<Trial> trial = op_.trial(shape_, sms_);
    if (trial && !op_.baseline_serves) trial->baseline = {};
    return trial;
  }

  Result<Timed> TimeOnce(const Runs& runs) const {
    if (ready_) return TimeTrial(*ready_, runs);
    const Result<Trial> trial = Make();
    if (!trial) return Fail(trial.error());
    return TimeTrial(*trial, runs);
  }

  static void Append(const std::vector<Duration>& each, std::vector<Duration>& all,
                     std::vector<Duration>& rounds) {
    if (each.empty()) return;
    all.insert(all.end(), each.begin(), each.end());
    rounds.push_back(Median(each));
  }

  const Op& op_;
  const Shape& shape_;
  int sms_;
  std::optional<Trial> ready_;
  std::optional<Error> failure_;
  std::vector<Timed> rounds_;
};

// A round is as slow as the slower of the paces around it.
std::vector<double> WorstOf(const std::vector<double>& paces) {
  std::vector<double> worst;
  for (size_t i = 0; i + 1 < paces.size(); ++i) worst.push_back(std::max(paces[i], paces[i + 1]));
  return worst;
}

int NearBest(const std::vector<double>& paces, double best) {
  const std::vector<double> worst = WorstOf(paces);
  return static_cast<int>(
      std::count_if(worst.begin(), worst.end(), [&](double pace) { return pace <= kNear * best; }));
}

}  // namespace

RoundsPlan PlanOf(Device device) {
  return device == Device::kCuda ? RoundsPlan{.least = 1, .most = 1, .runs = {}} : RoundsPlan{};
}

std::vector<bool> CountedRounds(const std::vector<double>& paces, double best) {
  const std::vector<double> worst = WorstOf(paces);
  std::vector<size_t> order(worst.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return worst[a] < worst[b]; });
  std::vector<bool> counts(worst.size());
  for (size_t i = 0; i < order.size(); ++i) {
    counts[order[i]] = 2 * i < order.size() || worst[order[i]] <= kNear * best;
  }
  return counts;
}

double Rounds::TakePace() {
  const double pace = pace_();
  best_ = best_ > 0 ? std::min(best_, pace) : pace;
  return pace;
}

std::vector<Result<Timed>> Rounds::Time(const Op& op, const std::vector<Shape>& shapes, int sms) {
  std::vector<Candidate> candidates;
  int64_t room = plan_.held.value();
  for (const Shape& shape : shapes) candidates.emplace_back(op, shape, sms).MakeReady(room);
  std::vector<double> paces = {TakePace()};
  for (int round = 0; round < plan_.most && NearBest(paces, best_) < plan_.least; ++round) {
    for (Candidate& candidate : candidates) candidate.TimeRound(plan_.runs);
    paces.push_back(TakePace());
  }
  const std::vector<bool> counts = CountedRounds(paces, best_);
  std::vector<Result<Timed>> timed;
  for (const Candidate& candidate : candidates) timed.push_back(candidate.Counted(counts));
  return timed;
}

}  // namespace pipescope::kernels::bench
