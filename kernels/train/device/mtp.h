// What a multi-token prediction module joins, for GPUs; the equations are kernels/train/mtp.h's.
//
// A block half a row of y: even halves are h's norm, odd ones e's.
#pragma once

#include "kernels/train/device/rms_norm.h"

namespace pipescope::kernels::device {

template <class T>
struct MtpArrays {
  const T *h, *e;
  const float *weight_h, *weight_e;
};

template <class Block, class T>
PIPESCOPE_BOTH void MtpJoinHalf(Block& block, const MtpArrays<T>& in, T* y, int64_t half,
                                int64_t columns, float epsilon) {
  const bool of_h = half % 2 == 0;
  RmsNormRow(block, (of_h ? in.h : in.e) + half / 2 * columns, of_h ? in.weight_h : in.weight_e,
             y + half * columns, columns, epsilon);
}

template <class T>
struct MtpGradients {
  T *dh, *de;
  float *inverse_h, *inverse_e;  // [rows], for the weights' gradients
};

template <class Block, class T>
PIPESCOPE_BOTH void MtpJoinInputGradientHalf(Block& block, const MtpArrays<T>& in, const T* dy,
                                             const MtpGradients<T>& out, int64_t half,
                                             int64_t columns, float epsilon) {
  const bool of_h = half % 2 == 0;
  const int64_t row = half / 2, at = row * columns;
  RmsNormInputGradientRow(block, (of_h ? in.h : in.e) + at, of_h ? in.weight_h : in.weight_e,
                          dy + half * columns, (of_h ? out.dh : out.de) + at,
                          (of_h ? out.inverse_h : out.inverse_e) + row, columns, epsilon);
}

}  // namespace pipescope::kernels::device
