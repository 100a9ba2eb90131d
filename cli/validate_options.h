// What the verb validate is asked for: options, their checks, and the groups of runs they name.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/validate_group.h"
#include "sim/base/result.h"

namespace pipescope::cli {

struct ValidateOptions {
  std::string device = "cpu";
  std::vector<std::string> schedules = {"gpipe", "1f1b",   "zb1p",    "interleaved-1f1b",
                                        "zbv",   "1f1b-v", "chimera", "dualpipe"};
  std::vector<std::string> models = {"small"};
  std::vector<int> ranks = {2};
  std::vector<int> microbatches = {8};
  int layers = 0;  // 0: two a rank
  int replicas = 1, expert_ranks = 1;
  std::optional<int> repetitions;  // none: 5, and with patience
  std::optional<double> patience;  // seconds; none: 30, or 0 where repetitions are asked for
  double hang_after = 60;
  int gpus = 0;  // 0: all
  std::optional<int> communication_sms;
  std::string transport = "threads";
  bool bf16 = false, fp8 = false;
  std::string format = "text";
  std::string json, html, trace, command, output;

  std::chrono::milliseconds HangAfter() const;
  int Repetitions() const { return repetitions.value_or(5); }

  // As options of the verb.
  void AddTo(CLI::App& verb);

  // Whether all of it can be done, without doing it: names, numbers, and every schedule in every
  // group.
  Status Check() const;
  // Whether its files could be written now, by who shows what is found.
  Status CheckFiles() const;

  // Calls it for each model, number of ranks and of micro-batches, until it fails.
  Status ForGroups(const std::function<Status(ValidateGroup)>& visit) const;
};

}  // namespace pipescope::cli
