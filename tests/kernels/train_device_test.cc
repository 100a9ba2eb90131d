// Device code of the training operations, run by threads of the CPU, against the truth: blocks of
// one lane, of a number that is no power of two, and of 32, in FP32 and BF16, outputs poisoned.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/train/adamw.h"
#include "kernels/train/bf16.h"
#include "kernels/train/cross_entropy.h"
#include "kernels/train/device/adamw.h"
#include "kernels/train/device/cross_entropy.h"
#include "kernels/train/device/mtp.h"
#include "kernels/train/device/rms_norm.h"
#include "kernels/train/device/rope.h"
#include "kernels/train/device/rows.h"
#include "kernels/train/device/swiglu.h"
#include "kernels/train/embedding.h"
#include "kernels/train/mtp.h"
#include "kernels/train/permute.h"
#include "kernels/train/rms_norm.h"
#include "kernels/train/rope.h"
#include "kernels/train/swiglu.h"
#include "tests/kernels/train_device_testing.h"

namespace pipescope::kernels {
namespace {

template <class T>
class Device : public testing::Test {};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Device, Types);

constexpr int64_t kRows = 5, kColumns = 104;  // 13 packs of BF16: lanes with and without work

TYPED_TEST(Device, RmsNormAndItsGradients) {
  using T = TypeParam;
  auto x = Draw(kRows * kColumns, 1), w = Draw(kColumns, 2), dy = Draw(kRows * kColumns, 3);
  std::fill_n(x.begin(), kColumns, 0.0F);  // a row of zeros
  dy[3] = 0;
  std::fill_n(dy.begin(), kColumns, 0.0F);
  const auto xs = As<T>(x), dys = As<T>(dy);
  for (const int lanes : kLanes) {
    auto y = Poisoned<T>(x.size()), dx = Poisoned<T>(x.size());
    std::vector<float> inverse(kRows, NAN);
    ForRows(lanes, kRows, [&](ThreadBlock& block, int64_t r) {
      const int64_t at = r * kColumns;
      device::RmsNormRow(block, &xs[at], w.data(), &y[at], kColumns, 1e-6F);
      device::RmsNormInputGradientRow(block, &xs[at], w.data(), &dys[at], &dx[at], &inverse[r],
                                      kColumns, 1e-6F);
    });
    ExpectNear(y, RmsNorm(x, w), 20);
    ExpectNear(dx, RmsNormInputGradient(x, w, dy), 60);
    std::vector<float> partial(2 * kColumns, NAN), dw(kColumns, NAN);
    for (int64_t c = 0; c < kColumns; c += device::kWide<T>) {
      device::RmsNormWeightGradientSlice(xs.data(), dys.data(), kColumns, inverse.data(),
                                         partial.data(), 0, 3, kColumns, c);
      device::RmsNormWeightGradientSlice(xs.data(), dys.data(), kColumns, inverse.data(),
                                         &partial[kColumns], 3, kRows, kColumns, c);
    }
    for (int64_t c = 0; c < kColumns; ++c) {
      dw[c] = device::SumPartials(partial.data(), 2, kColumns, c);
    }
    ExpectNear(dw, RmsNormWeightGradient(x, dy, kColumns), 40);
  }
}

TYPED_TEST(Device, MtpJoinAndItsGradients) {
  using T = TypeParam;
  const auto h = Draw(kRows * kColumns, 11), e = Draw(kRows * kColumns, 12);
  const auto wh = Draw(kColumns, 13), we = Draw(kColumns, 14), dy = Draw(2 * kRows * kColumns, 15);
  const auto hs = As<T>(h), es = As<T>(e), dys = As<T>(dy);
  const device::MtpArrays<T> in = {hs.data(), es.data(), wh.data(), we.data()};
  const MtpInput truth = {h, e, wh, we};
  for (const int lanes : kLanes) {
    auto y = Poisoned<T>(dy.size()), dh = Poisoned<T>(h.size()), de = dh;
    std::vector<float> of_h(kRows, NAN), of_e = of_h, partial(kColumns, NAN);
    const device::MtpGradients<T> out = {dh.data(), de.data(), of_h.data(), of_e.data()};
    ForRows(lanes, 2 * kRows, [&](ThreadBlock& block, int64_t half) {
      device::MtpJoinHalf(block, in, y.data(), half, kColumns, 1e-6F);
      device::MtpJoinInputGradientHalf(block, in, dys.data(), out, half, kColumns, 1e-6F);
    });
    ExpectNear(y, MtpJoin(truth), 20);
    const MtpGradients d = MtpJoinInputGradient(truth, dy);
    ExpectNear(dh, d.dh, 60);
    ExpectNear(de, d.de, 60);
    for (int64_t c = 0; c < kColumns; c += device::kWide<T>) {
      device::RmsNormWeightGradientSlice(es.data(), dys.data() + kColumns, 2 * kColumns,
                                         of_e.data(), partial.data(), 0, kRows, kColumns, c);
    }
    ExpectNear(partial, MtpJoinWeightGradient(truth, dy).e, 40);
  }
}

TYPED_TEST(Device, SwiGluAndItsGradient) {
  using T = TypeParam;
  auto x = Draw(kRows * 2 * kColumns, 4, 3);
  x[0] = 80;
  x[1] = -80;  // e^80 is large, e^-(-80) as well: no infinity times zero
  const auto dy = Draw(kRows * kColumns, 5);
  const auto xs = As<T>(x), dys = As<T>(dy);
  for (const int lanes : kLanes) {
    auto y = Poisoned<T>(dy.size()), again = y, dx = Poisoned<T>(x.size());
    ForRows(lanes, kRows, [&](ThreadBlock& block, int64_t r) {
      const int64_t at = r * kColumns;
      device::SwiGluRow(block, &xs[2 * at], &y[at], kColumns);
      device::SwiGluInputGradientRow(block, &xs[2 * at], &dys[at], &dx[2 * at], &again[at],
                                     kColumns);
    });
    ExpectNear(y, SwiGlu(x, kColumns), 20);
    ExpectNear(again, SwiGlu(x, kColumns), 20);
    ExpectNear(dx, SwiGluInputGradient(x, dy, kColumns), 40);
  }
}

TYPED_TEST(Device, RopeTurnsThereAndBack) {
  using T = TypeParam;
  const RopeShape shape{3, 24, 16};
  const int64_t width = shape.heads * shape.channels;
  const auto x = Draw(static_cast<size_t>(kRows * width), 6);
  const std::vector<int64_t> positions = {0, 7, 4095, 16384, 3};
  const auto frequencies = RopeFrequencies(shape.rotary);
  std::vector<device::Turn> turns;
  for (const int64_t p : positions) {
    for (const double f : frequencies) {
      const double angle = static_cast<double>(p) * f;
      turns.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
    }
  }
  const auto xs = As<T>(x);
  for (const int lanes : kLanes) {
    auto y = Poisoned<T>(x.size()), back = xs;
    ForRows(lanes, kRows, [&](ThreadBlock& block, int64_t t) {
      const device::Turn* table = &turns[static_cast<size_t>(t * shape.rotary / 2)];
      device::RopeToken(block, &xs[t * width], &y[t * width], table, 1, shape.heads, shape.channels,
                        shape.rotary);
      device::RopeToken(block, &back[t * width], &back[t * width], table, -1, shape.heads,
                        shape.channels, shape.rotary);
    });
    ExpectNear(y, Rope(x, positions, frequencies, shape), 10);
    ExpectNear(back, RopeInputGradient(x, positions, frequencies, shape), 10);
  }
}

TYPED_TEST(Device, CrossEntropyAndItsGradient) {
  using T = TypeParam;
  auto z = Draw(kRows * kColumns, 7, 4);
  z[2] = -INFINITY;       // a token that cannot be
  z[kColumns + 50] = 30;  // one that surely is
  const std::vector<int32_t> targets = {3, 50, kNoTarget, 0, kColumns - 1};
  const std::vector<float> d_losses = {0.2F, 1.0F, 0.5F, 0.0F, -0.3F};
  for (const int lanes : kLanes) {
    auto logits = As<T>(z), kept = logits;
    std::vector<float> loss(kRows, NAN), alone(kRows, NAN);
    ForRows(lanes, kRows, [&](ThreadBlock& block, int64_t t) {
      device::CrossEntropyRow(block, &kept[t * kColumns], targets[t], 0, false, &alone[t],
                              kColumns);
      device::CrossEntropyRow(block, &logits[t * kColumns], targets[t], d_losses[t], true, &loss[t],
                              kColumns);
    });
    ExpectNear(loss, CrossEntropy(z, targets, kColumns), 60);
    EXPECT_EQ(loss, alone);
    ExpectNear(logits, CrossEntropyInputGradient(z, targets, d_losses, kColumns), 30);
    for (size_t i = 0; i < z.size(); ++i) ASSERT_EQ(device::Load(kept[i]), z[i]);
  }
}

TYPED_TEST(Device, RowsMoveByExpertAndBack) {
  using T = TypeParam;
  constexpr int64_t kTokens = 9, kSelected = 2;
  std::vector<int32_t> chosen = {0, 3, 3, 1, -1, 0, 1, 0, 3, -1, -1, -1, 1, 3, 0, 1, 3, 0};
  const Permutation by = MakePermutation(chosen, kSelected, 4, 4);  // expert 2 is empty
  const auto x = Draw(kTokens * kColumns, 8), weights = Draw(kTokens * kSelected, 9);
  const auto rows = Draw(static_cast<size_t>(by.rows()) * kColumns, 10);
  const auto xs = As<T>(x), rs = As<T>(rows);
  for (const int lanes : kLanes) {
    auto permuted = Poisoned<T>(rows.size()), d_rows = As<T>(std::vector<float>(rows.size()));
    std::vector<float> d_weights(weights.size());
    ForRows(lanes, by.rows(), [&](ThreadBlock& block, int64_t r) {
      const int64_t slot = by.slots[static_cast<size_t>(r)];
      device::GatherRow(block, xs.data(), slot < 0 ? -1 : slot / kSelected, &permuted[r * kColumns],
                        kColumns);
      if (slot < 0) return;
      device::UnpermuteGradientRow(block, &rs[r * kColumns], &xs[slot / kSelected * kColumns],
                                   weights[slot], &d_rows[r * kColumns], &d_weights[slot],
                                   kColumns);
    });
    ExpectNear(permuted, Permute(x, by, kColumns), 0);
    ExpectNear(d_rows, UnpermuteInputGradient(x, weights, by, kColumns), 2);
    ExpectNear(d_weights, UnpermuteWeightGradient(x, rows, by, kColumns), 200);
    auto y = Poisoned<T>(x.size()), dx = y;
    ForRows(lanes, kTokens, [&](ThreadBlock& block, int64_t t) {
      const int64_t* which = &by.rows_of[static_cast<size_t>(t * kSelected)];
      device::SumOfRows(block, rs.data(), which, &weights[t * kSelected], kSelected,
                        &y[t * kColumns], kColumns);
      device::SumOfRows(block, rs.data(), which, nullptr, kSelected, &dx[t * kColumns], kColumns);
    });
    ExpectNear(y, Unpermute(rows, weights, by, kColumns), 10);
    ExpectNear(dx, PermuteInputGradient(rows, by, kColumns), 10);
  }
}

TYPED_TEST(Device, EmbeddingAndItsGradient) {
  using T = TypeParam;
  const std::vector<int32_t> tokens = {2, 0, 2, 6, 2};
  constexpr int64_t kVocabulary = 7;
  const auto table = Draw(kVocabulary * kColumns, 11), dy = Draw(tokens.size() * kColumns, 12);
  std::vector<int32_t> positions(tokens.size());
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int32_t>(i);
  std::stable_sort(positions.begin(), positions.end(),
                   [&](int32_t a, int32_t b) { return tokens[a] < tokens[b]; });
  const auto ts = As<T>(table), dys = As<T>(dy);
  for (const int lanes : kLanes) {
    auto y = Poisoned<T>(dy.size());
    std::vector<float> d_table(table.size(), NAN);
    ForRows(lanes, static_cast<int64_t>(tokens.size()), [&](ThreadBlock& block, int64_t t) {
      device::GatherRow(block, ts.data(), tokens[t], &y[t * kColumns], kColumns);
    });
    ForRows(lanes, kVocabulary, [&](ThreadBlock& block, int64_t v) {
      const auto of = [&](int64_t token) {
        return std::lower_bound(positions.begin(), positions.end(), token,
                                [&](int32_t p, int64_t t) { return tokens[p] < t; }) -
               positions.begin();
      };
      device::EmbeddingGradientRow(block, dys.data(), positions.data(), of(v), of(v + 1),
                                   &d_table[v * kColumns], kColumns);
    });
    ExpectNear(y, Embedding(table, tokens, kColumns), 0);
    ExpectNear(d_table, EmbeddingWeightGradient(tokens, dy, kVocabulary, kColumns), 10);
  }
}

// Three steps, moments in BF16 equal to the code or next to it, where FP32 and FP64 round apart.
TEST(DeviceAdamW, StepsAsTheTruthDoes) {
  constexpr size_t kCount = 64;
  const AdamW adamw{0.01, 0.9, 0.95, 1e-8, 0.1};
  std::vector<float> weights = Draw(kCount, 13), truth = weights;
  std::vector<uint16_t> m(kCount), v(kCount);
  std::vector<Bf16> dm(kCount), dv(kCount), copy(kCount);
  for (int step = 1; step <= 3; ++step) {
    const auto gradient = Draw(kCount, static_cast<uint32_t>(20 + step));
    AdamWStep(adamw, step, gradient, truth, m, v);
    const device::AdamWScalars scalars = {0.01F,
                                          0.9F,
                                          0.95F,
                                          1e-8F,
                                          0.1F,
                                          static_cast<float>(1 - std::pow(0.9, step)),
                                          static_cast<float>(1 - std::pow(0.95, step))};
    for (size_t at = 0; at < kCount; at += 4) {
      device::AdamWFour(scalars, gradient.data(), weights.data(), dm.data(), dv.data(), copy.data(),
                        static_cast<int64_t>(at));
    }
    for (size_t i = 0; i < kCount; ++i) {
      EXPECT_NEAR(weights[i], truth[i], 1e-4 * std::abs(truth[i]) + 2e-5);
      EXPECT_NEAR(DecodeBf16(dm[i].code), DecodeBf16(m[i]),
                  2 * kBf16Error * std::abs(DecodeBf16(m[i])));
      EXPECT_NEAR(DecodeBf16(dv[i].code), DecodeBf16(v[i]),
                  2 * kBf16Error * std::abs(DecodeBf16(v[i])));
      EXPECT_EQ(copy[i].code, EncodeBf16(weights[i]));
      dm[i].code = m[i];  // a code apart must not grow over the steps
      dv[i].code = v[i];
    }
  }
}

}  // namespace
}  // namespace pipescope::kernels
