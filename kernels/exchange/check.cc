#include "kernels/exchange/check.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "kernels/exchange/truth.h"
#include "kernels/train/bf16.h"

namespace pipescope::kernels::exchange {
namespace {

// The first place in which two arrays differ, as bytes, or nothing.
template <class T>
std::string Difference(const char* what, size_t rank, const std::vector<T>& is,
                       const std::vector<T>& should) {
  if (is.size() != should.size()) {
    return fmt::format("rank {}: {}: {} of them, expected {}", rank, what, is.size(),
                       should.size());
  }
  for (size_t i = 0; i < is.size(); ++i) {
    if (std::memcmp(&is[i], &should[i], sizeof(T)) != 0) {
      return fmt::format("rank {}: {}[{} of {}] differs", rank, what, i, is.size());
    }
  }
  return "";
}

std::string Compare(const std::vector<DispatchOutput>& is,
                    const std::vector<DispatchOutput>& should, bool with_experts) {
  std::string said;
  for (size_t r = 0; r < should.size(); ++r) {
    said = Difference("sources", r, is[r].sources, should[r].sources);
    if (said.empty()) said = Difference("values", r, is[r].values, should[r].values);
    if (said.empty()) said = Difference("scales", r, is[r].scales, should[r].scales);
    if (said.empty() && with_experts) {
      said = Difference("experts", r, is[r].experts, should[r].experts);
    }
    if (said.empty() && with_experts) {
      said = Difference("weights", r, is[r].weights, should[r].weights);
    }
    if (said.empty()) {
      said = Difference("expert_rows", r, is[r].expert_rows, should[r].expert_rows);
    }
    if (!said.empty()) break;
  }
  return said;
}

std::string Compare(const std::vector<CombineOutput>& is,
                    const std::vector<CombineOutput>& should) {
  for (size_t r = 0; r < should.size(); ++r) {
    std::string said = Difference("sums", r, is[r].values, should[r].values);
    if (said.empty()) said = Difference("sums of weights", r, is[r].weights, should[r].weights);
    if (!said.empty()) return said;
  }
  return "";
}

// The largest error as a share of what rounding may do.
double Rounding(const Config& g, const std::vector<CombineOutput>& is, const WideSums& wide) {
  constexpr double kLeastNormal = 0x1p-126;
  const double relative = 2 * kBf16Error + g.ranks() * 0x1p-23;
  double worst = 0;
  for (size_t r = 0; r < is.size(); ++r) {
    for (size_t i = 0; i < wide.sums[r].size(); ++i) {
      uint16_t code = 0;
      std::memcpy(&code, is[r].values.data() + 2 * i, 2);
      const double bound = relative * (wide.magnitudes[r][i] + kLeastNormal);
      worst = std::max(worst, std::abs(DecodeBf16(code) - wide.sums[r][i]) / bound);
    }
  }
  return worst;
}

class Check {
 public:
  Check(Exchange& exchange, const Config& config, Routing routing, bool uneven, uint64_t seed)
      : exchange_(exchange),
        config_(config),
        seed_(seed),
        inputs_(DrawInputs(config, routing, uneven, seed)) {}

  Result<CheckResult> Run() {
    for (auto step : {&Check::Dispatch, &Check::CombineWithWeights, &Check::DispatchAgain,
                      &Check::CombineWithout}) {
      if (auto ok = (this->*step)(); !ok) return Fail(ok.error());
      if (!result_.failure.empty()) break;
    }
    return result_;
  }

 private:
  Status Dispatch() {
    auto outputs = exchange_.Dispatch(inputs_);
    if (!outputs) return Fail(outputs.error());
    Note("dispatch", Compare(*outputs, DispatchTruth(config_, inputs_), true));
    for (const DispatchOutput& out : *outputs) {
      rows_.push_back(out.rows);
      result_.rows += out.rows;
    }
    return {};
  }

  Status CombineWithWeights() { return Combine(true); }
  Status CombineWithout() { return Combine(false); }

  Status Combine(bool weights) {
    const auto results = DrawResults(config_, rows_, weights, seed_ + (weights ? 1 : 2));
    auto sums = exchange_.Combine(results, weights);
    if (!sums) return Fail(sums.error());
    Note("combine", Compare(*sums, CombineTruth(config_, inputs_, results, weights)));
    const double worst = Rounding(config_, *sums, CombineWide(config_, inputs_, results));
    result_.worst_rounding = std::max(result_.worst_rounding, worst);
    if (!(worst <= 1)) Note("combine", fmt::format("rounding is {} of its bound", worst));
    return {};
  }

  // Other values, the same ways.
  Status DispatchAgain() {
    auto again = inputs_;
    for (DispatchInput& in : again) {
      for (std::byte& value : in.values) value ^= std::byte{0x5a};
      for (float& scale : in.scales) scale += 1;
    }
    auto outputs = exchange_.DispatchAgain(again);
    if (!outputs) return Fail(outputs.error());
    Note("dispatch again", Compare(*outputs, DispatchTruth(config_, again), false));
    return {};
  }

  void Note(const char* step, const std::string& said) {
    if (result_.failure.empty() && !said.empty()) {
      result_.failure = fmt::format("{}: {}", step, said);
    }
  }

  Exchange& exchange_;
  const Config& config_;
  const uint64_t seed_;
  const std::vector<DispatchInput> inputs_;
  std::vector<int> rows_;
  CheckResult result_;
};

}  // namespace

Result<CheckResult> CheckExchange(Exchange& exchange, const Config& config, Routing routing,
                                  bool uneven, uint64_t seed) {
  return Check(exchange, config, routing, uneven, seed).Run();
}

}  // namespace pipescope::kernels::exchange
