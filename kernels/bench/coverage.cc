#include "kernels/bench/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/json_text.h"

namespace pipescope::kernels::bench {
namespace {

// An operation and the reasons for what it does not have; empty where it has it.
struct Operation {
  std::string_view name;
  std::string_view no_fast;
  std::string_view no_library;
};

constexpr std::string_view kNoFp8 = "none: no run on a CPU is in FP8";
constexpr std::string_view kCopy = "none does the same; a copy of its bytes bounds it";

constexpr std::array kOperations = {
    Operation{"fp8_quantize_tiles", kNoFp8, kCopy},
    Operation{"fp8_quantize_blocks", kNoFp8, kCopy},
    Operation{"fp8_quantize_rms_norm", kNoFp8, kCopy},
    Operation{"fp8_quantize_swiglu", kNoFp8, kCopy},
    Operation{"fp8_gemm", kNoFp8, ""},
    Operation{"fp8_gemm_grouped", kNoFp8, "none: cuBLASLt's block scaling has no groups"},
    Operation{"dispatch", "none: the same threads",
              "none on one GPU; between nodes NCCL's send and receive"},
    Operation{"combine", "none: the same threads",
              "none on one GPU; between nodes NCCL's send and receive"},
    Operation{"rms_norm", "", kCopy},
    Operation{"mtp_join", "none: two of rms_norm's", kCopy},
    Operation{"rope", "", kCopy},
    Operation{"attention", "",
              "none yet: cuDNN 9.19's attention node takes no causal mask, and its graph of single "
              "operations cannot be tried without a GPU"},
    Operation{"router", "", kCopy},
    Operation{"permute", "", kCopy},
    Operation{"unpermute", "", kCopy},
    Operation{"swiglu", "", kCopy},
    Operation{"residual", "none: one loop", kCopy},
    Operation{"embedding", "none: real runs use the truth", kCopy},
    Operation{"linear", "", ""},
    Operation{"cross_entropy", "", kCopy},
    Operation{"adamw", "", kCopy},
};

const Operation* OperationOf(const std::string& kernel) {
  const Operation* longest = nullptr;
  for (const Operation& operation : kOperations) {
    if (!kernel.starts_with(operation.name)) continue;
    if (longest == nullptr || longest->name.size() < operation.name.size()) longest = &operation;
  }
  return longest;
}

template <class Holds>
std::string Counted(std::span<const Op* const> ops, const Holds& holds) {
  std::string text;
  for (const Device device : {Device::kCpu, Device::kCuda}) {
    const auto count = std::count_if(
        ops.begin(), ops.end(), [&](const Op* op) { return op->device == device && holds(*op); });
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, NameOf(device));
  }
  return text;
}

bool IsFast(const Op& op) { return op.device == Device::kCpu && op.backend == "fast"; }

std::string LibraryOf(std::span<const Op* const> ops) {
  for (const Op* op : ops) {
    const bool library = op->device == Device::kCuda && op->baseline_serves;
    if (library) return op->baseline;
    if (op->device == Device::kCuda && op->backend == "cuBLASLt") return op->backend;
  }
  return "";
}

Coverage RowOf(const Operation& operation, std::span<const Op* const> ops) {
  Coverage row = {.operation = std::string(operation.name)};
  for (const Op* op : ops) {
    if (row.truth.empty() || op->device == Device::kCpu) row.truth = op->truth;
    if (op->device == Device::kCpu) break;
  }
  row.fast = !Counted(ops, IsFast).empty() ? "ours"
             : operation.no_fast.empty()   ? "none in this build"
                                           : std::string(operation.no_fast);
  row.cuda = Counted(ops, [](const Op& op) { return op.device == Device::kCuda; });
  row.check = Counted(ops, [](const Op& op) { return static_cast<bool>(op.check); });
  row.bench = Counted(ops, [](const Op& op) { return op.trial && !op.shapes.empty(); });
  const std::string library = LibraryOf(ops);
  row.library = library.empty() ? std::string(operation.no_library) : library;
  return row;
}

}  // namespace

std::vector<Coverage> CoverageOf(std::span<const Op> ops) {
  std::vector<Coverage> rows;
  for (const Operation& operation : kOperations) {
    std::vector<const Op*> its;
    for (const Op& op : ops) {
      if (OperationOf(op.name) == &operation) its.push_back(&op);
    }
    rows.push_back(RowOf(operation, its));
  }
  for (const Op& op : ops) {
    if (OperationOf(op.name) == nullptr) rows.push_back({.operation = op.name});
  }
  return rows;
}

std::string CoverageText(std::span<const Coverage> rows) {
  const auto line = [](const Coverage& r) {
    return fmt::format("{:<22} {:<36} {:<42} {:<8} {:<14} {:<14} {}\n", r.operation, r.truth,
                       r.fast, r.cuda, r.check, r.bench, r.library);
  };
  std::string text = line(
      {"operation", "truth", "fast on a CPU", "kernels", "checked", "timed", "library beside"});
  for (const Coverage& row : rows) text += line(row);
  return text;
}

std::string CoverageJson(std::span<const Coverage> rows) {
  std::string text = "[";
  const char* before = "\n";
  for (const Coverage& r : rows) {
    text += before + fmt::format(
                         "{{\"operation\": {}, \"truth\": {}, \"fast\": {}, \"cuda\": {}, "
                         "\"check\": {}, \"bench\": {}, \"library\": {}}}",
                         JsonQuoted(r.operation), JsonQuoted(r.truth), JsonQuoted(r.fast),
                         JsonQuoted(r.cuda), JsonQuoted(r.check), JsonQuoted(r.bench),
                         JsonQuoted(r.library));
    before = ",\n";
  }
  return text + "\n]";
}

}  // namespace pipescope::kernels::bench
