// GEMMs of a linear layer, forward and backward, in a trace that recorded input sizes.
#include "sim/trace/gemm_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sim/measured/profile_file.h"
#include "sim/trace/import.h"
#include "sim/trace/read.h"

namespace pipescope::trace {
namespace {

using measured::Format;
using measured::Pass;
using testing::ElementsAre;

// Operators of one thread, each of which launches one kernel.
class Writer {
 public:
  void Function(int start, int length) {
    Event("cpu_op", "autograd::engine::evaluate_function: MmBackward0", 1, start, length, "");
  }
  void Gemm(const std::string& name, const std::string& dims, int start, int kernel_us,
            const std::string& type = "c10::BFloat16") {
    const std::string n = std::to_string(++kernels_);
    Event("cpu_op", name, 1, start, 10,
          "\"Input Dims\": " + dims + ", \"Input type\": [\"" + type + "\", \"" + type + "\"]");
    Event("cuda_runtime", "cudaLaunchKernel", 1, start + 2, 3, "\"correlation\": " + n);
    Event(
        "kernel", "some_gemm_kernel", 7, 1000 * kernels_, kernel_us,
        "\"correlation\": " + n + ", \"stream\": 7, \"grid\": [64, 1, 1], \"block\": [128, 1, 1]");
  }
  Trace Read() {
    const std::string path = testing::TempDir() + "gemm_calls.json";
    std::ofstream(path) << "{\"deviceProperties\": [{\"name\": \"NVIDIA H800\", \"numSms\": 132}], "
                           "\"traceEvents\": ["
                        << events_ << "]}";
    const auto trace = ReadTrace(path);
    EXPECT_TRUE(trace) << trace.error().ToString();
    return trace.value_or(Trace());
  }

 private:
  void Event(const std::string& category, const std::string& name, int thread, int start,
             int length, const std::string& args) {
    if (!events_.empty()) events_ += ",\n";
    events_ += "{\"ph\": \"X\", \"cat\": \"" + category + "\", \"name\": \"" + name +
               "\", \"pid\": 1, \"tid\": " + std::to_string(thread) +
               ", \"ts\": " + std::to_string(start) + ", \"dur\": " + std::to_string(length) +
               ", \"args\": {" + args + "}}";
  }
  std::string events_;
  int kernels_ = 0;
};

// y = x W of 4096 rows, 7168 wide, 2048 deep, twice; its gradients; one of another layer.
Trace Linear() {
  Writer w;
  w.Gemm("aten::mm", "[[4096, 2048], [2048, 7168]]", 0, 100);
  w.Gemm("aten::addmm", "[[7168], [4096, 2048], [2048, 7168], [], []]", 20, 120);
  w.Function(90, 80);
  w.Gemm("aten::mm", "[[4096, 7168], [7168, 2048]]", 100, 130);
  w.Gemm("aten::mm", "[[7168, 4096], [4096, 2048]]", 120, 140);
  w.Gemm("aten::mm", "[[5, 6], [6, 7]]", 140, 9);  // of no forward GEMM that was seen
  w.Gemm("aten::bmm", "[[8, 16, 32], [8, 32, 64]]", 300, 7, "float");
  w.Gemm("aten::mm", "[[4096, 2048], [999, 7168]]", 320, 5);  // do not fit each other
  w.Gemm("aten::relu", "[[4096, 2048]]", 340, 5);
  return w.Read();
}

TEST(GemmCalls, OfALinearLayer) {
  std::vector<std::tuple<Pass, int64_t, int64_t, int64_t, int64_t, Duration>> got;
  for (const GemmCall& g : GemmCalls(Linear())) {
    got.emplace_back(g.pass, g.groups, g.m, g.n, g.k, g.time);
  }
  EXPECT_THAT(got,
              ElementsAre(std::tuple(Pass::kForward, 1, 4096, 7168, 2048, Microseconds(100)),
                          std::tuple(Pass::kForward, 1, 4096, 7168, 2048, Microseconds(120)),
                          std::tuple(Pass::kForward, 8, 16, 64, 32, Microseconds(7)),
                          std::tuple(Pass::kInputGrad, 1, 4096, 2048, 7168, Microseconds(130)),
                          std::tuple(Pass::kWeightGrad, 1, 2048, 7168, 4096, Microseconds(140))));
}

TEST(GemmCalls, BecomeCostsByShape) {
  const Trace trace = Linear();
  const measured::Profile profile = ImportProfile(trace, TimelineOf(trace).value(), std::nullopt);
  int gemms = 0;
  for (const measured::Operation& op : profile.operations) {
    if (op.kind != measured::Kind::kGemm) continue;
    ++gemms;
    EXPECT_EQ(op.sms, 132);
    if (op.pass == Pass::kForward && op.shape.at("groups") == 1) {
      EXPECT_EQ(op.format, Format::kBf16);
      EXPECT_EQ(op.times.count, 2);
      EXPECT_EQ(op.times.mean, Microseconds(110));
      EXPECT_EQ(op.shape.at("k"), 2048);
    }
  }
  EXPECT_EQ(gemms, 4);
}

}  // namespace
}  // namespace pipescope::trace
