// Kernel times against DeepGEMM's published H800 table, and the shape of the roofline.
#include "sim/costs/kernel_cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/costs/prices.h"
#include "topology/load.h"

namespace pipescope::costs {
namespace {

using model::Kernel;
using model::KernelKind;
using model::Precision;

topology::Gpu H800() { return topology::LoadCluster("h800_2048_fat_tree").value().gpu; }

Kernel Fp8Gemm(int64_t m, int64_t n, int64_t k, int64_t groups = 1) {
  Kernel kernel;
  kernel.kind = KernelKind::kGemm;
  kernel.precision = Precision::kFp8;
  kernel.groups = groups;
  kernel.m = m;
  kernel.n = n;
  kernel.k = k;
  kernel.flops = Flops(2.0 * static_cast<double>(groups * m) * static_cast<double>(n * k));
  kernel.bytes = Bytes(groups * (m * k + n * k + 2 * m * n));
  return kernel;
}

struct Published {
  int64_t groups, m, n, k;
  double tflops;
};

// DeepGEMM, README of 2025-02 (commit a6d97a1): H800, 132 SMs, FP8 with BF16 output. Rows with
// M = 4096, and the grouped contiguous ones.
constexpr Published kDeepGemm[] = {
    {1, 4096, 2112, 7168, 1058},  {1, 4096, 24576, 1536, 990}, {1, 4096, 32768, 512, 590},
    {1, 4096, 7168, 16384, 1358}, {1, 4096, 4096, 7168, 1304}, {1, 4096, 7168, 2048, 1025},
    {4, 8192, 4096, 7168, 1297},  {4, 8192, 7168, 2048, 1099}, {8, 4096, 4096, 7168, 1288},
    {8, 4096, 7168, 2048, 1093},
};

TEST(KernelCost, WithinFivePercentOfDeepGemm) {
  for (const Published& row : kDeepGemm) {
    const Kernel kernel = Fp8Gemm(row.m, row.n, row.k, row.groups);
    const double tflops =
        (kernel.flops / KernelTime(kernel, 132, H800(), Efficiencies())).value() / 1e12;
    EXPECT_NEAR(tflops / row.tflops, 1, 0.05)
        << row.groups << " x " << row.m << " x " << row.n << " x " << row.k << ": " << tflops;
  }
}

TEST(KernelCost, WholeWavesOfTiles) {
  // 33 x 4 tiles are one wave of 132 SMs; one more row of tiles starts a second.
  const auto time = [](int64_t m, int sms) {
    return KernelTime(Fp8Gemm(m, 512, 8192), sms, H800(), Efficiencies());
  };
  const Duration wave = time(33 * 128, 132);
  EXPECT_EQ(time(128, 132), wave);
  EXPECT_NEAR(time(33 * 128 + 1, 132) / wave, 2, 1e-6);
  EXPECT_NEAR(time(33 * 128, 131) / wave, 2, 1e-6);
  EXPECT_NEAR(time(33 * 128, 66) / wave, 2, 1e-6);
  EXPECT_NEAR(time(33 * 128, 65) / wave, 3, 1e-6);
}

TEST(KernelCost, FewerSmsAreNeverFaster) {
  for (const Published& row : kDeepGemm) {
    const Kernel kernel = Fp8Gemm(row.m, row.n, row.k, row.groups);
    for (int sms = 2; sms <= 132; ++sms) {
      EXPECT_LE(KernelTime(kernel, sms, H800(), Efficiencies()),
                KernelTime(kernel, sms - 1, H800(), Efficiencies()));
    }
  }
}

TEST(KernelCost, MemoryBoundKernelsTakeTheirBytes) {
  Kernel kernel;
  kernel.bytes = Bytes(1'000'000'000);
  const double seconds = KernelTime(kernel, 132, H800(), Efficiencies()).seconds();
  EXPECT_NEAR(seconds, 1 / (3350 * 0.796), 1e-9);
  // How many SMs are left does not matter to it; that communication has the others does.
  EXPECT_NEAR(KernelTime(kernel, 112, H800(), Efficiencies()).seconds(), seconds * 1.08, 1e-9);
  EXPECT_EQ(KernelTime(kernel, 112, H800(), Efficiencies()),
            KernelTime(kernel, 10, H800(), Efficiencies()));
}

// Against kernels of DeepSeek's training trace (H800) that no constant was taken from, in
// microseconds: 4096 x 24576 to FP8 beside a combine, RMSNorm of 4096 x 7168 beside a dispatch.
TEST(KernelCost, CastsAndNormsBesideCommunication) {
  Kernel cast;
  cast.bytes = Bytes(305'000'000);
  cast.traffic = model::Traffic::kCast;
  EXPECT_NEAR(KernelTime(cast, 112, H800(), Efficiencies()).seconds() * 1e6, 158, 158 * 0.05);
  Kernel norm;
  norm.bytes = Bytes(4 * 4096 * 7168);
  norm.traffic = model::Traffic::kNorm;
  EXPECT_NEAR(KernelTime(norm, 112, H800(), Efficiencies()).seconds() * 1e6, 127, 127 * 0.2);
}

TEST(KernelCost, ManySmallKernelsTakeTheirNumber) {
  Kernel gate;
  gate.launches = 35;
  EXPECT_EQ(KernelTime(gate, 132, H800(), Efficiencies()), Efficiencies().small_kernel * 35);
}

TEST(KernelCost, AttentionScalesWithSms) {
  Kernel kernel;
  kernel.kind = KernelKind::kAttention;
  kernel.flops = Flops(1e12);
  const Duration all = KernelTime(kernel, 132, H800(), Efficiencies());
  EXPECT_NEAR(all.seconds(), 1 / (989.4 * 0.663), 1e-9);
  EXPECT_NEAR(KernelTime(kernel, 66, H800(), Efficiencies()) / all, 2, 1e-6);
  kernel.pass = model::Pass::kInputGrad;
  EXPECT_NEAR(KernelTime(kernel, 132, H800(), Efficiencies()).seconds(), 1 / (989.4 * 0.564), 1e-9);
}

TEST(KernelCost, APhaseIsItsKernelsAndTheGapsBetween) {
  const Efficiencies e;
  const std::vector<Kernel> kernels = {Fp8Gemm(4096, 7168, 2048), Fp8Gemm(4096, 2112, 7168)};
  const topology::Cluster cluster = topology::LoadCluster("h800_2048_fat_tree").value();
  const Price price = Prices(cluster, e, {}).Phase(kernels, 112);
  const Demand& demand = price.demand;
  ASSERT_EQ(price.parts.size(), 2u);
  EXPECT_EQ(price.parts[0].origin, Origin::kAnalytic);
  EXPECT_EQ(demand.time, KernelTime(kernels[0], 112, H800(), e) +
                             KernelTime(kernels[1], 112, H800(), e) + e.kernel_gap + e.kernel_gap);
  EXPECT_EQ(demand.memory, kernels[0].bytes + kernels[1].bytes);
  EXPECT_EQ(demand.flops, kernels[0].flops + kernels[1].flops);
}

TEST(KernelCost, Fp8WeightGradientsRunSlower) {
  Kernel kernel = Fp8Gemm(7168, 4096, 4096);
  const Duration forward = KernelTime(kernel, 132, H800(), Efficiencies());
  kernel.pass = model::Pass::kWeightGrad;
  EXPECT_GT(KernelTime(kernel, 132, H800(), Efficiencies()), forward);
}

}  // namespace
}  // namespace pipescope::costs
