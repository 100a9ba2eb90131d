// Whatever can be read can be imported, replayed and put beside others: traces with numbers and
// letters changed at random, all the way through.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>

#include "sim/replay/replay.h"
#include "sim/timeline/bubbles.h"
#include "sim/trace/import.h"
#include "sim/trace/pipeline.h"
#include "sim/trace/read.h"
#include "sim/trace/summary.h"

namespace pipescope::replay {
namespace {

// Most edits change digits, so that most traces can still be read.
std::string Mangled(std::string text, std::mt19937& random) {
  for (auto edits = 1 + random() % 40; edits > 0; --edits) {
    const size_t at = random() % text.size();
    if (text[at] >= '0' && text[at] <= '9') {
      text[at] = static_cast<char>('0' + random() % 10);
    } else if (random() % 64 == 0) {
      text[at] = static_cast<char>('a' + random() % 26);
    }
  }
  return text;
}

TEST(Mangled, WhatIsReadGoesAllTheWay) {
  std::ostringstream whole;
  whole << std::ifstream("tests/sim/trace/data/small_trace.json").rdbuf();
  const trace::Trace good = trace::ReadTrace("tests/sim/trace/data/small_trace.json").value();
  const std::string path = testing::TempDir() + "/mangled.json";
  std::mt19937 random(11);
  int read = 0;
  for (int round = 0; round < 1500; ++round) {
    std::ofstream(path) << Mangled(whole.str(), random);
    const auto trace = trace::ReadTrace(path);
    if (!trace) continue;
    ++read;
    const auto timeline = trace::TimelineOf(*trace);
    ASSERT_TRUE(timeline);
    trace::Summarize(*trace, *timeline);
    measured::Layer layer;
    EXPECT_FALSE(trace::ImportProfile(*trace, *timeline, layer).operations.empty());
    Scales scales;
    scales.of_class.fill(static_cast<double>(round % 3));
    for (const auto& replay : {ReplayTrace(*trace), ReplayTrace(*trace, scales)}) {
      if (!replay) {
        EXPECT_NE(replay.error().message.find("too long"), std::string::npos);
        continue;
      }
      EXPECT_GE(replay->replayed, Duration());
      EXPECT_TRUE(trace::TimelineOf(replay->trace));
    }
    const std::vector<trace::Trace> both = {good, *trace};
    const auto alignment = trace::Align(both);
    if (!alignment) continue;
    const auto pipeline = trace::PipelineOf(both, *alignment);
    ASSERT_TRUE(pipeline);
    for (const Duration d : timeline::FindBubbles(pipeline->timeline).per_rank) {
      EXPECT_GE(d, Duration());
    }
  }
  EXPECT_GT(read, 300);
}

}  // namespace
}  // namespace pipescope::replay
