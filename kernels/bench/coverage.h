// Every operation, and what there is of it: a truth, a fast version on a CPU, one on a GPU, checks,
// benchmarks, and the library beside which it is timed. Where there is none the reason stands
// instead; no cell is empty.
//
// Kernels belong to the operation whose name theirs begins with, the longest one:
// fp8_gemm_grouped_weight_grad to fp8_gemm_grouped.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/bench/op.h"

namespace pipescope::kernels::bench {

struct Coverage {
  std::string operation = {};
  std::string truth = {};    // what defines it
  std::string fast = {};     // on a CPU
  std::string cuda = {};     // kernels
  std::string check = {};    // devices and number of kernels checked
  std::string bench = {};    // devices and number of kernels timed
  std::string library = {};  // that does the same, beside which it is timed
};

// Of all kernels; a kernel that belongs to no operation stands in a row of its own, its cells
// empty.
std::vector<Coverage> CoverageOf(std::span<const Op> ops);

std::string CoverageText(std::span<const Coverage> rows);
std::string CoverageJson(std::span<const Coverage> rows);  // a list

}  // namespace pipescope::kernels::bench
