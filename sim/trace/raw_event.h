// One event of a trace as its fields arrive, in any order, before it is known whether it matters.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::trace {

// A JSON scalar: text is its spelling, or the string's characters.
struct Scalar {
  enum class Type : uint8_t { kString, kNumber, kOther } type = Type::kOther;
  std::string_view text;
};

struct RawEvent {
  std::string phase, category, name, process, thread;
  std::optional<int64_t> start, length;  // nanoseconds
  std::optional<int64_t> stream, device, correlation, bytes;
  std::string collective, process_group;  // of an NCCL kernel, as PyTorch tells them
  std::optional<int64_t> source_rank, target_rank;
  std::array<int64_t, 3> grid = {};
  std::array<int64_t, 3> block = {};
  std::vector<std::vector<int64_t>> inputs;  // sizes of an operator's inputs
  std::string input_type;                    // of the first
  std::optional<Error> wrong;                // the first field that is not what it should be

  // A field of the event itself, of its args, or entry `index` of an array in its args.
  void Set(std::string_view key, const Scalar& value);
  void SetArgument(std::string_view key, const Scalar& value);
  void SetEntry(std::string_view key, size_t index, const Scalar& value);
  // Entry `index` of array `list` of an array in its args.
  void SetEntry(std::string_view key, size_t list, size_t index, const Scalar& value);
  // What the operation does with other processes (align.h); "" where that is not told.
  std::string CommonKey() const;

 private:
  static std::optional<int64_t> Number(const Scalar& value);
  std::optional<int64_t> Time(const char* key, int64_t most, const Scalar& value);
  std::optional<int64_t> Whole(std::string_view key, int64_t most, const Scalar& value);
};

}  // namespace pipescope::trace
