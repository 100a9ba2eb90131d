#include "sim/experiment/what_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <random>

#include "sim/base/quantity.h"

namespace pipescope {

std::optional<std::pair<int, double>> ParseSlowGpu(const std::string& text) {
  std::pair<int, double> slow;
  const size_t x = text.find('x');
  if (x == std::string::npos) return std::nullopt;
  const auto [end, code] = std::from_chars(text.data(), text.data() + x, slow.first);
  if (code != std::errc() || slow.first < 0) return std::nullopt;
  if (std::string_view(end, static_cast<size_t>(text.data() + x - end)).find_first_not_of(' ') !=
      std::string_view::npos) {
    return std::nullopt;
  }
  const size_t number = text.find_first_not_of(' ', x + 1);
  const auto times =
      number == std::string::npos ? Result<double>(Fail("")) : ParseNumber(text.substr(number));
  if (!times || !(*times > 0) || *times > 1e6) return std::nullopt;
  slow.second = *times;
  return slow;
}

WhatIf ReadWhatIf(Fields f) {
  WhatIf what_if;
  if (f.Has("slow_gpus")) {
    for (const std::string& text : f.Strings("slow_gpus")) {
      const auto slow = ParseSlowGpu(text);
      if (!slow) {
        f.Note("slow_gpus", fmt::format("'{}': expected a GPU and how many times as long it takes, "
                                        "such as \"5 x 1.2\"",
                                        text));
        break;
      }
      what_if.slow_gpus.push_back(*slow);
    }
  }
  what_if.expert_skew = f.Number("expert_skew", 0, 10, 0.0);
  return what_if;
}

std::vector<double> ExpertLoads(double skew, int gpus, int group) {
  std::vector<double> loads(static_cast<size_t>(gpus));
  for (size_t i = 0; i < loads.size(); ++i) loads[i] = std::pow(static_cast<double>(i + 1), -skew);
  const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / gpus;
  for (double& load : loads) load /= mean;
  // A shuffle of our own: the standard's is another in every library.
  std::mt19937 engine(static_cast<uint32_t>(group) + 1);
  for (size_t i = loads.size(); i > 1; --i) std::swap(loads[i - 1], loads[engine() % i]);
  return loads;
}

}  // namespace pipescope
