// The bubble rates of the zero-bubble papers, to every decimal they print, from the profiled costs
// they print beside them: Table 5 from Table 6 of Qi et al. (ICLR 2024, arXiv 2401.10241), and the
// further settings of the authors' repository (arXiv 2401.10241v2). ZB-1p and ZB-2p need an
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
  // As printed; "" where the column is not.
  const char *one_f_one_b, *interleaved, *zb_h1, *zb_h2;
};

constexpr Setting kSettings[] = {
    {"1.5B", 8, 24, 18522, 18086, 9337, 601, 3, "0.2431", "0.1055", "0.1585", "0.1083"},
    {"1.5B", 8, 32, 18513, 18086, 9331, 626, 3, "0.1985", "", "0.1242", "0.0837"},
    {"1.5B", 8, 64, 18546, 18097, 9321, 762, 3, "0.1240", "", "0.0674", "0.0444"},
    {"6.2B", 8, 24, 29718, 29444, 19927, 527, 4, "0.2347", "", "0.1323", "0.0698"},
    {"6.2B", 8, 32, 29802, 29428, 19530, 577, 4, "0.1898", "0.0628", "0.1045", "0.0559"},
    {"6.2B", 8, 64, 29935, 29621, 19388, 535, 4, "0.1091", "", "0.0554", "0.0294"},
    {"14.6B", 16, 48, 11347, 11248, 8132, 377, 3, "0.2552", "", "0.1397", "0.0672"},
    {"14.6B", 16, 64, 11307, 11254, 8101, 379, 3, "0.2082", "", "0.1088", "0.0516"},
    {"14.6B", 16, 128, 11325, 11308, 8109, 378, 3, "0.1251", "0.0445", "0.0576", "0.0266"},
    {"28.3B", 32, 96, 10419, 10207, 7715, 408, 2, "0.2646", "0.1493", "0.1421", "0.0641"},
    {"28.3B", 32, 128, 10408, 10204, 7703, 408, 2, "0.2168", "", "0.1106", "0.0490"},
    {"28.3B", 32, 256, 10402, 10248, 7698, 460, 2, "0.1352", "", "0.0594", "0.0257"},
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
// once forwards and once backwards. The papers' 1F1B-I column is p hops short of that, in all
// settings: where a micro-batch goes from the last rank back to the first, the repository's script
// waits for it in the first of each p micro-batches and takes the other p - 1 as arrived.
TEST(Tables, Interleaved) {
  for (const Setting& s : kSettings) {
    if (std::string(s.interleaved).empty()) continue;
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
