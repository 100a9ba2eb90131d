// What a multi-token prediction module joins before its layer.
//
//   y[t] = [ RMSNorm(h[t], weight_h) | RMSNorm(e[t], weight_e) ]
//
// h is the hidden state of token t, e the embedding of the token after it; both are
// [tokens][columns], y [tokens][2 columns]. A linear layer from 2 columns to columns follows, then
// one layer of the model, and the model's own head: each has its own header.
//
// Gradients: each half of dy through its norm.
//
// Example: h = {3, 4}, e = {0, 2}, weights 1: y = {0.849, 1.131, 0, 1.414}.
// Source: DeepSeek-V3, arXiv 2412.19437, section 2.2, equation 21.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pipescope::kernels {

struct MtpInput {
  std::span<const float> h, e;
  std::span<const float> weight_h, weight_e;
};

struct MtpGradients {
  std::vector<float> dh, de;
};

struct MtpWeightGradients {
  std::vector<float> h, e;
};

std::vector<float> MtpJoin(const MtpInput& in);
MtpGradients MtpJoinInputGradient(const MtpInput& in, std::span<const float> dy);
MtpWeightGradients MtpJoinWeightGradient(const MtpInput& in, std::span<const float> dy);

}  // namespace pipescope::kernels
