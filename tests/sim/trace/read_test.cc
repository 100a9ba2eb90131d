// Reading traces: what is kept, what is refused and where, and that no file makes it crash.
#include "sim/trace/read.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "sim/base/file.h"

namespace pipescope::trace {
namespace {

constexpr char kSmall[] = "tests/sim/trace/data/small_trace.json";

std::string SmallText() { return ReadFile(kSmall).value(); }

std::string InFile(const std::string& bytes) {
  std::string path = testing::TempDir() + "/trace.json";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string Gzip(const std::string& bytes) {
  const std::string path = testing::TempDir() + "/packed.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(file);
  return ReadFile(path).value();
}

void ExpectRefused(const std::string& bytes, const std::vector<std::string>& parts,
                   const ReadLimits& limits = {}) {
  const auto trace = ReadTrace(InFile(bytes), limits);
  ASSERT_FALSE(trace) << bytes.substr(0, 200);
  for (const std::string& part : parts) {
    EXPECT_NE(trace.error().ToString().find(part), std::string::npos)
        << trace.error().ToString() << "\nlacks " << part;
  }
}

std::string Kernel(const std::string& fields) {
  return "[\n{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"k\", " + fields + "}]";
}

TEST(ReadTrace, KeepsWhatTheDeviceDidAndWhy) {
  const auto trace = ReadTrace(kSmall);
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->device_name, "NVIDIA H800");
  EXPECT_EQ(trace->sms, 132);
  EXPECT_EQ(trace->rank, 3);
  EXPECT_EQ(trace->world_size, 64);
  EXPECT_EQ(trace->operations.size(), 11u);
  EXPECT_EQ(trace->launches.size(), 11u);
  EXPECT_EQ(trace->annotations.size(), 6u);
  const DeviceOperation& first = trace->operations.front();
  EXPECT_EQ(trace->names[static_cast<size_t>(first.name)],
            "void deep_ep::internode::cached_notify<false>(int, int)");
  EXPECT_EQ(first.stream, 27);
  EXPECT_EQ(first.grid, (std::array<int64_t, 3>{20, 1, 1}));
  EXPECT_EQ(first.start, Microseconds(10));
  EXPECT_EQ(first.length, Microseconds(20));
  EXPECT_EQ(trace->annotations[1].start, Microseconds(0.25));
  EXPECT_EQ(trace->names[static_cast<size_t>(trace->annotations[1].name)], "1F1B");
}

// 16 digits and three decimals: 19 digits, which a double does not hold.
TEST(ReadTrace, NanosecondsOfAbsoluteTimesSurvive) {
  const auto trace = ReadTrace(
      InFile(Kernel("\"ts\": 1740461679479712.001, \"dur\": 1.003, \"args\": {\"stream\": 7}}, "
                    "{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"j\", "
                    "\"ts\": 1740461679479712.012, \"dur\": 2e1, \"args\": {\"stream\": 7}")));
  ASSERT_TRUE(trace) << trace.error().ToString();
  EXPECT_EQ(trace->operations[1].start, Duration(11'000));
  EXPECT_EQ(trace->operations[0].length, Duration(1'003'000));
  EXPECT_EQ(trace->operations[1].length, Duration(20'000'000));
}

TEST(ReadTrace, GzipIsTheSame) {
  const auto packed = ReadTrace(InFile(Gzip(SmallText())));
  ASSERT_TRUE(packed) << packed.error().ToString();
  EXPECT_EQ(packed->operations.size(), 11u);
  EXPECT_EQ(packed->names, ReadTrace(kSmall)->names);
}

TEST(ReadTrace, ErrorsNameTheField) {
  const std::string fine = "\"ts\": 1, \"dur\": 2, \"args\": {\"stream\": 7}";
  ASSERT_TRUE(ReadTrace(InFile(Kernel(fine))));
  ExpectRefused(Kernel("\"ts\": 1, \"dur\": -3, \"args\": {\"stream\": 7}"),
                {"trace.json:2:", "traceEvents[0].dur: '-3': expected microseconds"});
  ExpectRefused(Kernel("\"ts\": \"1\", \"dur\": 3"), {"traceEvents[0].ts: '1': expected"});
  ExpectRefused(Kernel("\"dur\": 3"), {"traceEvents[0].ts: is missing"});
  ExpectRefused(Kernel("\"ts\": 3"), {"traceEvents[0].dur: is missing"});
  ExpectRefused(Kernel("\"ts\": 1, \"dur\": 2"), {"traceEvents[0].args.stream: is missing"});
  ExpectRefused(Kernel("\"ts\": 1, \"dur\": 2, \"args\": {\"stream\": 7.5}"),
                {"traceEvents[0].args.stream: '7.5': expected a whole number"});
  ExpectRefused(Kernel("\"ts\": 1e300, \"dur\": 2"), {"ts: '1e300': expected"});
  ExpectRefused("{\"traceEvents\": 3}", {"traceEvents: expected an array of events"});
  ExpectRefused("{\"traceEvents\": {}}", {"traceEvents: expected an array of events"});
  ExpectRefused("[[]]", {"traceEvents[0]: expected an event"});
  ExpectRefused("[7]", {"traceEvents[0]: '7': expected an event"});
  ExpectRefused("{}", {"traceEvents: is missing"});
  ExpectRefused("[]", {"holds no kernels"});
  ExpectRefused("3", {"expected an object with \"traceEvents\""});
  ExpectRefused("", {"cut off"});
  ExpectRefused("[\n  {]", {":2:4: '", "is not JSON"});
}

TEST(ReadTrace, WhatDoesNotMatterMayBeAnything) {
  EXPECT_TRUE(
      ReadTrace(InFile(Kernel("\"ts\": 1, \"dur\": 2, \"tid\": [], \"id\": \"0x1\", "
                              "\"args\": {\"stream\": 7, \"x\": {\"stream\": []}}},"
                              "{\"ph\": \"X\", \"cat\": \"cpu_op\", \"dur\": -1"))));
}

TEST(ReadTrace, LimitsHold) {
  ReadLimits limits;
  limits.input.bytes = 1 << 20;
  ExpectRefused(Gzip("[" + std::string(4 << 20, ' ')), {"holds"}, limits);
  limits.input.token_bytes = 1 << 17;
  ExpectRefused(Gzip("[\"" + std::string(4 << 20, 'x')), {"string or number of more"}, limits);
  ExpectRefused(std::string(1000, '['), {"expected an event"});
  ExpectRefused("[{\"a\":" + std::string(1000, '['), {"nested deeper than 64"});
  limits = {};
  limits.kept = 5;
  ExpectRefused(SmallText(), {"too large: more than 5"}, limits);
}

TEST(ReadTrace, TruncatedFilesAreRefused) {
  const std::string text = SmallText(), packed = Gzip(text);
  const size_t whole = text.rfind('}') + 1;
  for (size_t n = 0; n < whole; n += 13) ExpectRefused(text.substr(0, n), {"trace.json"});
  for (size_t n = 20; n < packed.size(); n += 5) ExpectRefused(packed.substr(0, n), {"cut off"});
  EXPECT_FALSE(ReadTrace("no/such/file.json"));
  EXPECT_FALSE(ReadTrace(testing::TempDir()));
}

TEST(ReadTrace, MangledFilesNeverCrash) {
  std::mt19937 random(7);
  const std::string text = SmallText(), packed = Gzip(text);
  for (int round = 0; round < 600; ++round) {
    std::string mangled = round % 3 == 0 ? packed : text;
    for (unsigned edits = 1 + random() % 8; edits > 0; --edits) {
      const size_t at = random() % mangled.size();
      if (random() % 2 == 0) {
        mangled[at] = static_cast<char>(random());
      } else {
        mangled.erase(at, random() % 40);
        mangled.insert(random() % (mangled.size() + 1), 1, "{\"}[,:1e9-"[random() % 10]);
      }
    }
    const auto trace = ReadTrace(InFile(mangled));
    EXPECT_TRUE(trace || !trace.error().message.empty());
  }
}

}  // namespace
}  // namespace pipescope::trace
