// Tensors in a device's memory, and the tape that records what is done to them (tape.h).
//
// Values are BF16 (the router's weights FP32 that hold BF16's values) and so are gradients: each is
// rounded, then added, then rounded, as the tape of a model in BF16 on a CPU does, so that the same
// arithmetic gives the same bits.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/transformer/device/kernels.h"
#include "kernels/transformer/device/pool.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer::device {

struct TensorData {
  Extent size;
  Block value;
  Block gradient;  // null until one arrives

  const Bf16* bf16() const { return value->as<Bf16>(); }
  const float* floats() const { return value->as<float>(); }
};
using Tensor = std::shared_ptr<TensorData>;

inline bool IsEmpty(const Tensor& x) { return x->size.rows == 0; }

// What a rank has on its device. Outlives its tapes, tensors and weights.
struct Home {
  Kernels* compute = nullptr;
  Kernels* communication = nullptr;
  std::shared_ptr<Pool> pool;
  // Made once and read since: angles, numbers of rows. Of the compute queue alone.
  std::map<std::string, Block> constants = {};
};

class Tape : public TapeFunctions {
 public:
  // On which of its queues.
  Tape(Home& home, Kernels& kernels) : home_(&home), kernels_(&kernels) {}

  Kernels& kernels() const { return *kernels_; }

  template <class T>
  Block Allocate(int64_t count) const {
    return home_->pool->Allocate(count * static_cast<int64_t>(sizeof(T)), *kernels_);
  }
  template <class T>
  Block Upload(const std::vector<T>& values) const {
    const auto count = static_cast<int64_t>(values.size());
    Block block = Allocate<T>(count);
    kernels_->Upload(block->as<void>(), values.data(), count * static_cast<int64_t>(sizeof(T)));
    return block;
  }
  // `make` gives its values where the rank does not have it yet.
  template <class T, class Make>
  const T* Constant(const std::string& name, const Make& make) const {
    Block& block = home_->constants[name];
    if (block == nullptr) block = Upload<T>(make());
    return block->template as<T>();
  }

  // Of BF16, its value still to be written.
  Tensor Make(Extent size) const;
  void AddGradient(const Tensor& to, Block gradient) const;
  // Of FP32, once.
  void SetFloatGradient(const Tensor& to, Block gradient) const;

 private:
  Home* home_;
  Kernels* kernels_;
};

}  // namespace pipescope::transformer::device
