// Attention's device code on CPU threads, with the tensor core's fragments, against the truth.
#include <algorithm>

#include "kernels/train/attention.h"
#include "kernels/train/device/attention_gradient.h"
#include "tests/kernels/train_device_testing.h"
#include "tests/kernels/warp_team.h"

namespace pipescope::kernels {
namespace {

constexpr int kWarps = 2, kQk = 48, kV = 32;

using Values = std::vector<float>;

double Difference(const std::vector<Bf16>& got, const Values& truth) {
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double x = device::Load(got[i]), y = truth[i];
    xx += x * x, yy += y * y, xy += x * y;
  }
  return xx + yy == 0 ? 0 : 1 - 2 * xy / (xx + yy);
}

struct Case {
  const char* what;
  int64_t queries, keys, heads, kv_heads;
  bool causal;
  int64_t window;
};

// Rounding P, its gradient and results to BF16 leaves a few times 2^-18; a key too many or a row
// misplaced leaves 1e-3 at these sizes.
constexpr double kAllowed = 2e-5;

class Attention : public testing::TestWithParam<Case> {
 protected:
  static constexpr int kRows = 16 * kWarps;

  void SetUp() override {
    const Case& c = GetParam();
    shape_ = {.heads = c.heads,
              .kv_heads = c.kv_heads,
              .qk_channels = kQk,
              .v_channels = kV,
              .scale = 0.15,
              .causal = c.causal,
              .window = c.window};
    const auto of_q = static_cast<size_t>(c.queries * c.heads);
    const auto of_k = static_cast<size_t>(c.keys * c.kv_heads);
    q_ = Draw(of_q * kQk, 1, 2), k_ = Draw(of_k * kQk, 2, 2), v_ = Draw(of_k * kV, 3);
    d_ = Draw(of_q * kV, 4);
    bq_ = As<Bf16>(q_), bk_ = As<Bf16>(k_), bv_ = As<Bf16>(v_), bd_ = As<Bf16>(d_);
    in_ = {{c.queries, c.keys, c.heads, c.kv_heads, c.window, c.causal, 0.15F},
           bq_.data(),
           bk_.data(),
           bv_.data()};
    out_ = Poisoned<Bf16>(of_q * kV);
    log_sums_.assign(of_q, NAN);
  }

  void Forward() {
    auto at = std::make_unique<device::AttentionShared<kWarps, kQk, kV>>();
    OnTeam(kWarps, [&](WarpTeam& team) {
      for (int64_t head = 0; head < in_.sizes.heads; ++head) {
        for (int64_t first = 0; first < in_.sizes.queries; first += kRows) {
          team.Sync();
          device::AttentionForward(team, in_, out_.data(), log_sums_.data(), *at, head, first);
        }
      }
    });
  }

  void Backward(std::vector<Bf16>& dq, std::vector<Bf16>& dk, std::vector<Bf16>& dv) {
    auto queries = std::make_unique<device::QueryPassShared<kWarps, kQk, kV>>();
    auto keys = std::make_unique<device::KeyPassShared<kWarps, kQk, kV>>();
    Values along(log_sums_.size(), NAN);
    const device::AttentionGradient g = {in_,          out_.data(), bd_.data(), log_sums_.data(),
                                         along.data(), dq.data(),   dk.data(),  dv.data()};
    OnTeam(kWarps, [&](WarpTeam& team) {
      for (int64_t head = 0; head < in_.sizes.heads; ++head) {
        for (int64_t first = 0; first < in_.sizes.queries; first += kRows) {
          team.Sync();
          device::AttentionQueryPass(team, g, *queries, head, first);
        }
      }
      for (int64_t head = 0; head < in_.sizes.kv_heads; ++head) {
        for (int64_t first = 0; first < in_.sizes.keys; first += kRows) {
          team.Sync();
          device::AttentionKeyPass(team, g, *keys, head, first);
        }
      }
    });
  }

  AttentionShape shape_;
  Values q_, k_, v_, d_, log_sums_;
  std::vector<Bf16> bq_, bk_, bv_, bd_, out_;
  device::AttentionInput in_;
};

TEST_P(Attention, EqualsTheTruth) {
  Forward();
  const AttentionResult truth = kernels::Attention(q_, k_, v_, shape_);
  EXPECT_LE(Difference(out_, truth.out), kAllowed);
  for (size_t i = 0; i < log_sums_.size(); ++i) {
    if (std::isinf(truth.log_sums[i])) {
      EXPECT_EQ(log_sums_[i], truth.log_sums[i]) << i;
    } else {
      EXPECT_NEAR(log_sums_[i], truth.log_sums[i], 1e-5 * (1 + std::fabs(truth.log_sums[i]))) << i;
    }
  }
}

TEST_P(Attention, GradientsEqualTheTruth) {
  Forward();
  auto dq = Poisoned<Bf16>(q_.size()), dk = Poisoned<Bf16>(k_.size());
  auto dv = Poisoned<Bf16>(v_.size());
  Backward(dq, dk, dv);
  const AttentionGradients truth = AttentionInputGradient(q_, k_, v_, d_, shape_);
  EXPECT_LE(Difference(dq, truth.dq), kAllowed);
  EXPECT_LE(Difference(dk, truth.dk), kAllowed);
  EXPECT_LE(Difference(dv, truth.dv), kAllowed);
}

// One tile and less, tails in both directions, queries that see nothing, shared key heads, windows
// within a tile and over several.
INSTANTIATE_TEST_SUITE_P(Cases, Attention,
                         testing::Values(Case{"square", 64, 64, 1, 1, true, kNoWindow},
                                         Case{"one_token", 1, 1, 2, 2, true, kNoWindow},
                                         Case{"tails", 75, 75, 2, 1, true, kNoWindow},
                                         Case{"all_keys", 33, 90, 2, 2, false, kNoWindow},
                                         Case{"later_queries", 20, 150, 1, 1, true, kNoWindow},
                                         Case{"blind_queries", 40, 21, 2, 2, true, kNoWindow},
                                         Case{"window", 150, 150, 2, 2, true, 7},
                                         Case{"wide_window", 140, 170, 4, 2, true, 70},
                                         Case{"window_of_one", 35, 35, 1, 1, true, 1}),
                         [](const auto& test) { return std::string(test.param.what); });

// Whom a key is seen by, counted one by one.
TEST(Attention, QueriesOfKeysHoldAllThatSeeThem) {
  for (const int64_t window : {int64_t{1}, int64_t{5}, kNoWindow}) {
    for (const auto& [queries, keys] : {std::pair{9, 9}, {4, 11}, {11, 4}}) {
      const device::AttentionSizes s = {queries, keys, 1, 1, window, true, 1};
      for (int64_t first = 0; first < keys; first += 3) {
        const int64_t last = std::min<int64_t>(keys, first + 3);
        const auto span = device::QueriesOf(s, first, last);
        for (int64_t query = 0; query < queries; ++query) {
          bool sees = false;
          for (int64_t key = first; key < last; ++key) sees |= KeysOf(s, query).Holds(key);
          EXPECT_EQ(sees, span.Holds(query)) << first << " " << query << " " << window;
        }
      }
    }
  }
}

}  // namespace
}  // namespace pipescope::kernels
