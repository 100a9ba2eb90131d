// What the tests of the schedules share.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "schedules/evaluate.h"
#include "schedules/registry.h"
#include "schedules/schedule.h"

namespace pipescope::schedules {

// A file of tests/schedules/data.
std::string DataPath(const std::string& name);
std::string ReadData(const std::string& name);
nlohmann::json ReadJson(const std::string& name);

// Fail the test, and abort it, on an error.
Schedule MakeSchedule(const std::string& name, int64_t ranks, int64_t microbatches);
Schedule MakeSchedule(const std::string& name, const Options& options);
Schedule FromCsv(const std::string& text);
Timing Time(const Schedule& schedule, const Costs& costs);

Costs UniformCosts(double f, double i, double w, double comm = 0);

// What a vector of timing.json asks for.
Schedule MakeSchedule(const nlohmann::json& vector);

// Every choice of chunks, slices and variant worth trying with a family, at this size.
std::vector<Options> Choices(const Family& family, int64_t ranks, int64_t microbatches);

// "0F0,0F1,..." of one rank.
std::string Order(const Schedule& schedule, size_t rank);

}  // namespace pipescope::schedules
