// A number of a result taken apart: its formula, and the formula with the values put in.
//
//   $ pipescope simulate v3.yaml --explain tokens_per_second
//   tokens_per_second: tokens of the step by its time
//     = global_batch x sequence_length / step_time
//       global_batch      15360     sequences of a step, over all replicas
//       sequence_length   4096      tokens of a sequence
//       step_time         17.02 s   explain step_time_s
//     = 3696271
//
// `value` is worked out again from the terms, and is the result's own number: a test holds each
// one to it. Names are the keys of the JSON, "memory.RANK.PART", "kernel.NAME.PASS", "dispatch",
// "combine" and "hop".
#pragma once

#include <string>
#include <vector>

#include "sim/base/result.h"
#include "sim/experiment/experiment.h"
#include "sim/result/result_types.h"

namespace pipescope::cli {

struct Term {
  std::string name;
  std::string value;    // with its unit
  std::string meaning;  // and, where it can be explained in turn, by which name
};

struct Explanation {
  std::string name;
  std::string meaning;
  std::string formula;
  std::vector<Term> terms;
  double value = 0;     // from the terms, in seconds, bytes, a second or a share
  double reported = 0;  // as the result has it
  std::string shown;
};

// Fails where no number has that name, with the nearest one.
Result<Explanation> Explain(const Experiment& experiment, const StepResult& result,
                            const std::string& name);

// Every name that Explain knows of this result.
std::vector<std::string> ExplainedNames(const Experiment& experiment, const StepResult& result);

std::string ExplanationText(const Explanation& explanation);

// The parts of Explain: each gives all that it explains.
std::vector<Explanation> ExplainTimes(const Experiment& experiment, const StepResult& result);
std::vector<Explanation> ExplainMemory(const Experiment& experiment, const StepResult& result);
std::vector<Explanation> ExplainCosts(const Experiment& experiment, const StepResult& result);

}  // namespace pipescope::cli
