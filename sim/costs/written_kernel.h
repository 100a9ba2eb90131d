// A kernel of the model as a profile writes it down, and back.
//
// A profile of `pipescope calibrate` names what it measured. Two memory-bound kernels that move as
// many bytes do not take as long where one sums rows and the other copies them, nor do a dense and
// a grouped GEMM of as many FLOPs, so that names are kept here:
//
//   sim/model's kernels             the profile's
//   FP8 GEMMs                       fp8_gemm_forward, _input_grad, _weight_grad
//   of several groups               fp8_gemm_grouped, _input_grad, _weight_grad
//   BF16 GEMMs                      linear_forward, _input_grad, _weight_grad
//   flash_attention                 attention, _input_grad
//   *_norm, norms                   rms_norm; *_backward: _input_grad
//   *_cast                          fp8_quantize_tiles; of a weight gradient _transposed
//   *swiglu, rope*                  swiglu, rope; *_backward: _input_grad
//   permute, unpermute              the same; *_backward: _input_grad
//   *_add                           residual, but for what scatters
//   top_k, gather, cross_entropy    router, embedding, cross_entropy; *_backward: _input_grad
//
// Others, such as transposed weights, have no name here.
#pragma once

#include <string_view>

#include "sim/measured/profile.h"
#include "sim/model/operations.h"

namespace pipescope::costs {

// Without times; its name is MeasuredName's. A memory-bound kernel's format is always BF16.
measured::Operation Written(const model::Kernel& kernel, int sms);

// The other way, of a GEMM, an attention or a memory-bound kernel: FLOPs and bytes as sim/model
// counts them. FP32 counts as BF16, the wider of the two formats that the model knows.
model::Kernel KernelOf(const measured::Operation& operation);

// What `calibrate` calls the kernel, or "".
std::string_view MeasuredName(const model::Kernel& kernel);

// An operation's name without "beside communication", and without a shape in parentheses.
std::string_view BareName(std::string_view name);

}  // namespace pipescope::costs
