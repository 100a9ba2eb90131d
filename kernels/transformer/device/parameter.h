// A weight matrix in a device's memory: parameter.h's, with the same sums to the bit.
//
//   bytes a weight   2 what GEMMs read, 4 master, 4 gradient, 8 sum, 4 moments: 22
//   a norm's         and 4 more: its kernels read FP32
#pragma once

#include <string>
#include <vector>

#include "kernels/transformer/device/tensor.h"

namespace pipescope::transformer::device {

// The sum of a copy's gradients, and when it is there.
struct GivenSum {
  Block sum;
  EventPtr ready;
  int64_t count = 0;  // values
};

class Parameter {
 public:
  // As transformer::Parameter's, with the same values. `kernels` is where its sums are added up and
  // its updates run.
  Parameter(std::string name, int64_t rows, int64_t columns, double spread, Kernels& kernels,
            Pool& pool);
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& name() const { return name_; }
  int64_t rows() const { return size_.rows; }
  int64_t columns() const { return size_.columns; }
  int64_t count() const { return size_.count(); }
  const Bf16* used() const { return used_->as<Bf16>(); }
  const float* wide() const { return wide_->as<float>(); }  // a norm's

  void Add(const float* gradient);
  // The sum so far; the next one starts at zero.
  GivenSum TakeSum();
  // Adds up what all copies gave. `inexact` is one int32 on the device (kernels.h).
  void SetGradient(const std::vector<GivenSum>& sums, int32_t* inexact);
  void Update(const kernels::AdamW& adamw, int64_t step);

  // To look at, from the host: wait for all that was put on the queue.
  std::vector<float> gradient() const { return Read(gradient_); }
  std::vector<float> master() const { return Read(master_); }

 private:
  Block Zeros(int64_t bytes);
  std::vector<float> Read(const Block& block) const;

  std::string name_;
  Extent size_;
  Kernels& kernels_;
  Pool& pool_;
  Block master_, used_, wide_, gradient_, sum_, first_, second_;
};

}  // namespace pipescope::transformer::device
