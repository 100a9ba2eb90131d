// What `pipescope validate` found: predicted and measured steps side by side, as text and JSON.
//
//   error   (predicted - measured) / measured, of the medians over repetitions
//   noise   half the distance between the quartiles of the measured steps, over their median; and
//           of those that single calls of the calibration predict
//   pairs   two schedules of the same ranks, micro-batches and model that are apart by more than
//           the noise of both runs, each at least the median of those that are compared, since few
//           steps may agree by chance; ranked wrong where they are predicted the other way round
//   clear   those of them that are apart by more than the noise of both predictions besides: of the
//           others a prediction can't be expected to know the order
#pragma once

#include <string>
#include <vector>

#include "sim/base/units.h"
#include "sim/timeline/timeline.h"

namespace pipescope::reports {

// The share of the processors up to which others do not disturb.
inline constexpr double kUndisturbed = 0.05;

struct ValidateCase {
  std::string schedule, model;
  int ranks = 0;
  int microbatches = 0;
  int replicas = 1, expert_ranks = 1;
  Duration predicted, measured;
  double noise = 0, predicted_noise = 0;
  int steps = 0;        // that count
  int other_speed = 0;  // rounds that don't: the machine ran at another speed than in most
  double others = 0;    // share of the processors that other processes used meanwhile
  double predicted_bubble = 0, measured_bubble = 0;  // mean over ranks, of the pipeline's time
  double first_loss = 0, last_loss = 0;              // nats a token, over the repetitions
  bool equals_one_rank = false;                      // losses of all steps, to the bit
  // Of a message, as predicted with: between its ends, and processor time of each of them.
  Duration hop, send, receive;
  // Where asked for: the prediction, and the run whose time is nearest to `measured`.
  timeline::Timeline predicted_timeline, measured_timeline;

  double error() const { return (predicted - measured) / measured; }
};

struct ValidateResult {
  std::string device, machine;
  std::string transport = "threads";  // or "mpi"
  int processes = 1;
  Duration clock_accuracy;  // between processes
  int processors = 0;
  int repetitions = 0;
  Duration hop, hop_woken;  // of a message to a rank that waits: awake, or blocked
  double load =
      0;  // mean of runnable tasks of the whole machine over the last minute, at the start
  std::vector<ValidateCase> cases;
};

// Of all pairs; those ranked wrong by how far they are apart, places in `cases`.
struct Ranking {
  struct Wrong {
    size_t faster = 0, slower = 0;       // as measured
    double measured = 0, predicted = 0;  // (slower - faster) / faster: the second is negative
    bool clear = false;
  };
  int pairs = 0, clear = 0;
  std::vector<Wrong> wrong;
};
Ranking Rank(const ValidateResult& result);

// "5 repetitions", or "5 to 24" where groups of schedules were repeated more or less often.
std::string RepetitionsText(const ValidateResult& result);

// "Up to 31 rounds of a group do not count: ..."; empty where all do.
std::string OtherSpeedText(const ValidateResult& result);

// "24 pairs of schedules differ by more than the noise of runs, 20 of them by more than that of
// predictions too: 23 and 20 ranked right; ..." and which is the worst.
std::string RankingText(const ValidateResult& result);

double MeanError(const ValidateResult& result);  // of magnitudes; "mape"
bool AllEqualOneRank(const ValidateResult& result);

std::string ValidateText(const ValidateResult& result);
std::string ValidateJson(const ValidateResult& result);

}  // namespace pipescope::reports
