// The bubble rates of the zero-bubble papers, to every decimal they print, from the profiled costs
// they print beside them: Table 5 from Table 6 of Qi et al. (ICLR 2024, arXiv 2401.10241), and the
// settings of the authors' repository for ZB-V (arXiv 2401.10241v2). ZB-1p and ZB-2p need an
// optimizer: optimize_test.cc.
#include <fmt/format.h>

#include "tests/schedules/testing.h"

namespace pipescope::schedules {
namespace {

struct Setting {
  const char* model;
  int ranks, microbatches;
  double f, i, w, comm;  // of a rank's layers, microseconds
  int chunks;            // of 1F1B-I
  // As printed.
  const char *one_f_one_b, *interleaved, *zb_h1, *zb_h2;
};

constexpr Setting kSettings[] = {
    {"1.5B", 8, 24, 18522, 18086, 9337, 601, 3, "0.2431", "0.1055", "0.1585", "0.1083"},
    {"6.2B", 8, 32, 29802, 29428, 19530, 577, 4, "0.1898", "0.0628", "0.1045", "0.0559"},
    {"14.6B", 16, 128, 11325, 11308, 8109, 378, 3, "0.1251", "0.0445", "0.0576", "0.0266"},
    {"28.3B", 32, 96, 10419, 10207, 7715, 408, 2, "0.2646", "0.1493", "0.1421", "0.0641"},
    {"6.2B v2", 16, 48, 28814, 28760, 19352, 1610, 2, "0.2668", "0.1499", "0.1536", "0.0823"},
    {"6.2B v2", 16, 128, 28632, 28612, 19278, 1619, 2, "0.1390", "0.0621", "0.0637", "0.0325"},
};

double Work(const Setting& s) { return s.microbatches * (s.f + s.i + s.w); }

Timing TimeOf(const Setting& s, const char* schedule) {
  return Time(MakeSchedule(schedule, s.ranks, s.microbatches), UniformCosts(s.f, s.i, s.w, s.comm));
}

// The papers' denominator is the span for the schedules that need no barrier before the optimizer,
// and the makespan for those that do.
std::string Rate(const Setting& s, double time) {
  return fmt::format("{:.4f}", 1 - Work(s) / time);
}

TEST(Tables, SchedulesOfOneChunk) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(fmt::format("{} m={}", s.model, s.microbatches));
    EXPECT_EQ(Rate(s, TimeOf(s, "1f1b").makespan), s.one_f_one_b);
    EXPECT_EQ(Rate(s, TimeOf(s, "zb-h1").makespan), s.zb_h1);
    EXPECT_EQ(Rate(s, TimeOf(s, "zb-h2").span), s.zb_h2);
  }
}

// With p v stages, Megatron's and PyTorch's order pays 2 (p v - 1) hops: each boundary of stages
// once forwards and once backwards. The papers' 1F1B-I column is p hops short of that: it follows
// to every decimal from 2 (p v - 1) - p, in all six settings.
TEST(Tables, Interleaved) {
  for (const Setting& s : kSettings) {
    SCOPED_TRACE(fmt::format("{} m={}", s.model, s.microbatches));
    Options options{s.ranks, s.microbatches, s.chunks};
    const double v = s.chunks;
    const Timing timing = Time(MakeSchedule("interleaved-1f1b", options),
                               UniformCosts(s.f / v, s.i / v, s.w / v, s.comm));
    const double computation = (s.microbatches + (s.ranks - 1) / v) * (s.f + s.i + s.w);
    const double hops = 2 * (s.ranks * v - 1);
    EXPECT_NEAR(timing.makespan, computation + hops * s.comm, 1e-6 * timing.makespan);
    EXPECT_EQ(Rate(s, timing.makespan - s.ranks * s.comm), s.interleaved);
  }
}

}  // namespace
}  // namespace pipescope::schedules
