// A kernel as data: what it is called, where it runs, how it is checked, how fast it is and beside
// what. `kernels list|check|bench` and `calibrate` are loops over these.
//
//   check    the kernel on fresh random and adversarial inputs against a truth. Its measure is the
//            relative difference of fp8/gemm.h, 1 - 2 sum(x y) / sum(x^2 + y^2), and a limit
//   trial    the kernel and its baseline ready at one shape, to be timed as often as one likes
//            (trial.h)
//   sizes    what of a shape may vary, by which shapes are chosen that a calibration measures and
//            that it does not (held_out.h)
//   work     what the shape asks for at least: flops, and bytes that must be read and written once
//
// Example: {"fp8_quantize", "cuda", ..., baseline "copy of the same bytes"}: a trial at {rows 4096,
// columns 7168} moves 4096 x 7168 x (2 + 1 + 4 / 128) bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/bench/trial.h"
#include "kernels/cuda/work.h"
#include "sim/base/result.h"
#include "sim/base/units.h"
#include "sim/measured/profile.h"

namespace pipescope::kernels::bench {

enum class Device { kCpu, kCuda };
const char* NameOf(Device device);

// Whole numbers by name, in the order in which people say them.
using Shape = std::vector<std::pair<std::string, int64_t>>;
// The number of that name, which the shape must have.
int64_t At(const Shape& shape, const std::string& name);
// "m 4096, n 7168, k 2048"
std::string TextOf(const Shape& shape);

struct Checked {
  int cases = 0;
  double difference = 0;  // the worst of all cases
  double limit = 0;
  std::string failure = {};  // what was wrong, or empty

  bool well() const { return failure.empty(); }
};

// A number of a shape that may vary, in steps, from one step on; `also` is the same number twice.
struct Size {
  std::string name;
  int64_t step = 1;
  std::string also = {};
};

// A shape as a profile tells it, and the SMs that it uses; 0: all.
struct Told {
  measured::Shape shape;
  int sms = 0;
};

// The kernel of an operation on a GPU, ready at a shape, limited to `sms` where it can be.
using PrepareOp = std::function<cuda::PreparedWork(const Shape& shape, int sms)>;

struct Op {
  std::string name = {};
  std::string backend = {};
  Device device = Device::kCpu;
  std::string truth = {};     // what it is checked against
  std::string baseline = {};  // what it is timed beside, or empty
  // The baseline does the same work, so that the faster of both is what a step would use, shape by
  // shape: a profile takes it.
  bool baseline_serves = false;
  measured::Kind kind = measured::Kind::kOther;  // as which it enters a profile
  measured::Pass pass = measured::Pass::kNone;
  measured::Format format = measured::Format::kUnknown;
  std::vector<Shape> shapes = {};  // that are timed
  std::vector<Size> sizes = {};    // of a shape; none where no cost is read from it
  // That a shape moves at least, as Timed has it: of what a profile tells by its bytes.
  std::function<Bytes(const Shape& shape)> bytes = {};
  // How a profile tells a shape, where not by numbers of the same names.
  std::function<Told(const Shape& shape)> told = {};
  std::function<Result<Checked>(uint64_t seed)> check = {};
  // `sms` limits the kernel, 0 does not.
  std::function<Result<Trial>(const Shape& shape, int sms)> trial = {};
  // Of what can run beside communication; null elsewhere.
  PrepareOp prepare = {};
};

// What a device does at best, as measured on it: the 100 % of `of_peak`.
struct Peaks {
  Bandwidth copy;    // bytes read and written over the time of a long copy
  FlopRate matrix;   // of the format that the device's fastest kernel here uses
  std::string text;  // how they were measured
};

}  // namespace pipescope::kernels::bench
