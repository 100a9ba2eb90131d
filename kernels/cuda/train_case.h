// What the training operations on a GPU are timed at, and what each must move and multiply.
//
// Bytes are those that have to be read and written once: BF16 but for what is named otherwise. n =
// tokens x columns, of the operation's rows:
//
//   rms_norm 4 n    _input_grad 6 n    _weight_grad 4 n      mtp_join 8 n    _input_grad 12 n
//   swiglu 6 n      _input_grad 10 n   rope 4 n (heads of 192) residual 6 n
//   router          4 bytes an expert and 8 a choice; its gradient twice the experts
//   cross_entropy 2 n (columns: vocabulary), _input_grad 4 n
//   permute, unpermute   2 (tokens + rows) columns, rows = 8 tokens; _input_grad 2 (2 rows +
//   tokens) embedding 4 n   _grad 2 n and 4 a value of the table (kVocabulary rows) adamw 22 a
//   weight (tokens x columns of them) attention       2 (q + k + v + out) and 4 of l; columns are
//   heads. Flops by (query, key) pair
//                   that is seen: forward 2 (qk + v), input gradient 2 (3 qk + 2 v)
//
// Example: rms_norm of 4096 x 7168: 117.4 MB.
#pragma once

#include <cstdint>
#include <string>

#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope::kernels::cuda {

inline constexpr int64_t kVocabulary = 129280;  // DeepSeek-V3's
inline constexpr int64_t kExpertsOfToken = 8;
inline constexpr int64_t kExperts = 256;
inline constexpr int64_t kQkChannels = 192, kVChannels = 128, kRotary = 64;

struct TrainCase {
  std::string operation = {};  // as kernels list has it
  int64_t tokens = 0;
  int64_t columns = 0;
  int64_t window = INT64_MAX;  // of attention

  Bytes bytes() const;
  Flops flops() const;
};
// Whether there is such an operation, of sizes that its kernel takes.
Status CheckCase(const TrainCase& c);

}  // namespace pipescope::kernels::cuda
