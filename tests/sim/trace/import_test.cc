// Profiles made of data/small_trace.json (its sums are in summary_test.cc), by hand.
#include "sim/trace/import.h"

#include <gtest/gtest.h>

#include "sim/measured/profile_file.h"
#include "sim/trace/read.h"

namespace pipescope::trace {
namespace {

using measured::Kind;
using measured::Pass;

measured::Layer SomeLayer() {
  measured::Layer layer;
  for (const auto name : measured::Dimensions(Kind::kMlpPhase)) layer.shape[std::string(name)] = 2;
  layer.format = measured::Format::kFp8;
  return layer;
}

measured::Profile Import(const std::optional<measured::Layer>& layer) {
  const Trace trace = ReadTrace("tests/sim/trace/data/small_trace.json").value();
  return ImportProfile(trace, TimelineOf(trace).value(), layer);
}

const measured::Operation& Of(const measured::Profile& profile, Kind kind, Pass pass) {
  for (const measured::Operation& op : profile.operations) {
    if (op.kind == kind && op.pass == pass) return op;
  }
  ADD_FAILURE() << Name(kind) << ' ' << Name(pass);
  return profile.operations.front();
}

TEST(Import, PhasesOfALayer) {
  const measured::Profile profile = Import(SomeLayer());
  EXPECT_EQ(profile.device, "NVIDIA H800");
  EXPECT_EQ(profile.sms, 132);
  EXPECT_EQ(profile.machine.at("world_size"), "64");
  const auto& attention = Of(profile, Kind::kAttentionPhase, Pass::kForward);
  EXPECT_EQ(attention.times.mean, Microseconds(90));
  EXPECT_EQ(attention.sms, 112);  // the GEMMs' grids
  EXPECT_EQ(attention.shape.at("tokens"), 2);
  EXPECT_EQ(attention.name, "attn(F)");
  EXPECT_EQ(attention.source, "small_trace.json");
  EXPECT_EQ(Of(profile, Kind::kMlpPhase, Pass::kInputGrad).times.mean, Microseconds(78));
  // The gradient's dispatch, which the backward pass of combine is, and the wait before it.
  const auto& rows = Of(profile, Kind::kCombine, Pass::kInputGrad);
  EXPECT_EQ(rows.times.mean, Microseconds(80));
  EXPECT_EQ(rows.sms, 20);
  EXPECT_EQ(Of(profile, Kind::kNotifyCombine, Pass::kInputGrad).times.mean, Microseconds(20));
  EXPECT_EQ(Of(profile, Kind::kDispatch, Pass::kForward).times.mean, Microseconds(80));
  EXPECT_EQ(Of(profile, Kind::kNotifyDispatch, Pass::kForward).times.mean, Microseconds(20));
}

TEST(Import, WithoutALayerNoPhases) {
  const measured::Profile profile = Import(std::nullopt);
  EXPECT_FALSE(profile.operations.empty());
  for (const measured::Operation& op : profile.operations) EXPECT_EQ(op.kind, Kind::kOther);
}

TEST(Import, WhatIsImportedIsReadAgain) {
  const std::string text = measured::ProfileJson(Import(SomeLayer()));
  const std::string path = testing::TempDir() + "/imported.json";
  FILE* const file = fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  fputs(text.c_str(), file);
  fclose(file);
  const auto again = measured::ReadProfile(path);
  ASSERT_TRUE(again) << again.error().ToString();
  EXPECT_EQ(measured::ProfileJson(*again), text);
}

}  // namespace
}  // namespace pipescope::trace
