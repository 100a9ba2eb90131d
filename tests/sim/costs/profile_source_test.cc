// Costs from a measured profile: what is measured, what is guessed from it and how far off.
#include "sim/costs/profile_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "sim/costs/kernel_cost.h"
#include "sim/costs/prices.h"
#include "sim/measured/profile_file.h"

namespace pipescope::costs {
namespace {

using measured::Kind;
using measured::Pass;

topology::Gpu SomeGpu() {
  topology::Gpu gpu;
  gpu.name = "some";
  gpu.sms = 100;
  gpu.bf16 = Teraflops(1000);
  gpu.fp8 = Teraflops(2000);
  gpu.memory_bandwidth = GigabytesPerSecond(3000);
  return gpu;
}

model::Kernel Gemm(int64_t m, int64_t n, int64_t k) {
  model::Kernel kernel;
  kernel.name = "some_gemm";
  kernel.kind = model::KernelKind::kGemm;
  kernel.precision = model::Precision::kFp8;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2.0 * static_cast<double>(m * n) * static_cast<double>(k));
  return kernel;
}

double Model(const model::Kernel& kernel, int sms) {
  return KernelTime(kernel, sms, SomeGpu(), Efficiencies()).seconds();
}

measured::Times Around(double seconds, double deviation = 0) {
  return {4, Seconds(seconds), Seconds(seconds * (1 - deviation)),
          Seconds(seconds * (1 + deviation)), Seconds(seconds * deviation)};
}

measured::Operation MeasuredGemm(const model::Kernel& k, int sms, double times, double deviation) {
  measured::Operation op;
  op.kind = Kind::kGemm;
  op.pass = Pass::kForward;
  op.format = measured::Format::kFp8;
  op.shape = {{"groups", 1}, {"m", k.m}, {"n", k.n}, {"k", k.k}};
  op.sms = sms;
  op.times = Around(Model(k, sms) * times, deviation);
  return op;
}

ProfileSource Source(std::vector<measured::Operation> operations) {
  measured::Profile profile;
  profile.device = "some";
  profile.sms = 100;
  profile.operations = std::move(operations);
  const std::string path = testing::TempDir() + "/source.json";
  std::ofstream(path) << measured::ProfileJson(profile);
  auto source = ProfileSource::Load(path, SomeGpu(), Efficiencies());
  if (!source) ADD_FAILURE() << source.error().ToString();
  return *source;
}

const model::Kernel kShape = Gemm(4096, 4096, 4096);

TEST(ProfileSource, AMeasuredShapeTakesItsMean) {
  const auto estimate = Source({MeasuredGemm(kShape, 80, 1.3, 0.05)}).Kernel(kShape, 80);
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->origin, Origin::kMeasured);
  EXPECT_NEAR(estimate->time.seconds(), 1.3 * Model(kShape, 80), 1e-11);
  EXPECT_NEAR(estimate->spread, 0.05 / 2, 1e-6);  // of the mean of four
}

TEST(ProfileSource, OtherShapesAndSmsAreCorrectedByTheirNeighbours) {
  const model::Kernel twice = Gemm(8192, 4096, 4096), wanted = Gemm(2048, 4096, 4096);
  const auto source =
      Source({MeasuredGemm(kShape, 80, 1.2, 0.01), MeasuredGemm(twice, 80, 1.0, 0.04)});
  // Distances 1 and 2: (1.2 + 1.0 / 4) / (1 + 1 / 4).
  const auto estimate = source.Kernel(wanted, 80);
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->origin, Origin::kInterpolated);
  EXPECT_NEAR(estimate->time.seconds(), 1.16 * Model(wanted, 80), 1e-11);
  // Each left out is guessed from the other: 1.0 for 1.2 and 1.2 for 1.0; the upper median.
  EXPECT_NEAR(source.interpolated_spread(), 0.2, 1e-6);
  EXPECT_NEAR(estimate->spread, 0.2, 1e-6);
  // On all SMs there are more waves at once, as in the model.
  const auto alone = Source({MeasuredGemm(kShape, 80, 1.2, 0)}).Kernel(kShape, 100);
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->origin, Origin::kInterpolated);
  EXPECT_NEAR(alone->time.seconds(), 1.2 * Model(kShape, 100), 1e-11);
}

TEST(ProfileSource, FarShapesAndOtherKindsAreNotGuessed) {
  const auto source = Source({MeasuredGemm(kShape, 80, 1.2, 0)});
  EXPECT_FALSE(source.Kernel(Gemm(64, 512, 4096), 80));  // 6 + 3 factors of two away
  model::Kernel bf16 = kShape, weight = kShape, pass;
  bf16.precision = model::Precision::kBf16;
  weight.pass = model::Pass::kWeightGrad;
  pass.bytes = Bytes(1 << 20);
  EXPECT_FALSE(source.Kernel(bf16, 80));
  EXPECT_FALSE(source.Kernel(weight, 80));
  EXPECT_FALSE(source.Kernel(pass, 80));
  EXPECT_FALSE(source.Message({CollectiveKind::kAllGather, Bytes(1 << 20), 8, 8}));
}

TEST(ProfileSource, CollectivesOfTheSameGroupByBytes) {
  measured::Operation op;
  op.kind = Kind::kReduceScatter;
  op.format = measured::Format::kBf16;
  op.shape = {{"bytes", 1 << 20}, {"gpus", 8}, {"per_node", 8}};
  op.times = Around(1e-3);
  const auto source = Source({op});
  const auto same = source.Message({CollectiveKind::kReduceScatter, Bytes(1 << 20), 8, 8});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->time, Milliseconds(1));
  EXPECT_EQ(same->origin, Origin::kMeasured);
  const auto twice = source.Message({CollectiveKind::kReduceScatter, Bytes(2 << 20), 8, 8});
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->time, Milliseconds(2));
  EXPECT_FALSE(source.Message({CollectiveKind::kReduceScatter, Bytes(1 << 20), 16, 8}));
  EXPECT_FALSE(source.Message({CollectiveKind::kAllGather, Bytes(1 << 20), 8, 8}));
}

TEST(ProfileSource, PartsOfALayerOnFewerAndOnAllSms) {
  model::ModelConfig model;
  model.hidden = 1024;
  const measured::Layer layer = LayerOf(model, {.tokens = 4096, .sequence = 4096, .fp8 = true});
  measured::Operation op;
  op.kind = Kind::kMlpPhase;
  op.pass = Pass::kForward;
  op.format = layer.format;
  op.shape = layer.shape;
  for (auto& [name, size] : op.shape) {
    if (size == 0) op.shape[name] = name == "shared_width" ? 0 : 1;
  }
  op.sms = 80;
  op.times = Around(5e-3, 0.02);
  topology::Cluster cluster;
  cluster.gpu = SomeGpu();
  cluster.node.gpus = 8;
  const Efficiencies efficiencies;
  const Prices prices(cluster, efficiencies, {std::make_shared<const ProfileSource>(Source({op}))});
  const LayerPart part{op.kind, op.pass, {op.shape, op.format}};
  const Price beside = prices.Part(part, {kShape}, 80);
  EXPECT_EQ(beside.demand.time, Milliseconds(5));
  EXPECT_EQ(beside.demand.memory, Bytes(0));
  ASSERT_EQ(beside.parts.size(), 1u);
  EXPECT_EQ(beside.parts[0].origin, Origin::kMeasured);
  const Price alone = prices.Part(part, {kShape}, 100);
  EXPECT_EQ(alone.parts[0].origin, Origin::kInterpolated);
  const double gap = Efficiencies().kernel_gap.seconds();
  EXPECT_NEAR(alone.demand.time.seconds(),
              5e-3 * (Model(kShape, 100) + gap) / (Model(kShape, 80) + gap), 1e-9);
  LayerPart other = part;
  other.layer.shape["tokens"] = 8192;
  EXPECT_EQ(prices.Part(other, {kShape}, 80).parts[0].origin, Origin::kAnalytic);
}

TEST(ProfileSource, RefusesAnotherGpu) {
  const std::string path = testing::TempDir() + "/other.json";
  std::ofstream(path) << "{\"schema\": \"pipescope-profile/1\", \"device\": \"x\", \"sms\": 132,\n"
                         "\"operations\": []}";
  const auto source = ProfileSource::Load(path, SomeGpu(), Efficiencies());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().field, "sms");
  EXPECT_NE(source.error().message.find("132 SMs: the topology's GPU 'some' has 100"),
            std::string::npos);
}

}  // namespace
}  // namespace pipescope::costs
