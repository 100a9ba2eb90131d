#include "kernels/exchange/cases.h"

#include <algorithm>
#include <numeric>

namespace pipescope::kernels::exchange {
namespace {

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}
  uint64_t Bits() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
  }
  int Below(int bound) { return static_cast<int>(Bits() % static_cast<uint64_t>(bound)); }

 private:
  uint64_t state_;
};

// The experts a token may take.
std::vector<int32_t> Candidates(const Config& g, Routing routing, Draw& draw) {
  std::vector<int32_t> all(static_cast<size_t>(g.experts));
  std::iota(all.begin(), all.end(), 0);
  const auto keep = [&](auto wanted) {
    all.erase(std::remove_if(all.begin(), all.end(), [&](int e) { return !wanted(e); }), all.end());
  };
  switch (routing) {
    case Routing::kGrouped: {
      const int first = draw.Below(g.nodes);
      keep([&](int e) { return (e / g.experts_of_node() - first + g.nodes) % g.nodes < 4; });
      break;
    }
    case Routing::kOneRank: {
      const int rank = draw.Below(g.ranks());
      keep([&](int e) { return g.RankOfExpert(e) == rank; });
      break;
    }
    case Routing::kOneExpert:
      keep([&](int e) { return e == g.experts - 1; });
      break;
    case Routing::kEmptyRanks:
      keep([&](int e) { return g.RankOfExpert(e) % 2 == 0; });
      break;
    case Routing::kNothing:
      all.clear();
      break;
    case Routing::kUniform:
    case Routing::kSparse:
      break;
  }
  return all;
}

void DrawToken(const Config& g, Routing routing, Draw& draw, DispatchInput* in) {
  std::vector<int32_t> left = Candidates(g, routing, draw);
  for (int k = 0; k < g.selected; ++k) {
    const bool none = left.empty() || (routing == Routing::kSparse && draw.Below(2) == 0);
    if (none) {
      in->experts.push_back(-1);
    } else {
      const size_t i = static_cast<size_t>(draw.Below(static_cast<int>(left.size())));
      in->experts.push_back(left[i]);
      std::swap(left[i], left.back());
      left.pop_back();
    }
    in->weights.push_back(static_cast<float>(draw.Below(1 << 20)) * 0x1p-20F);
  }
}

uint16_t DrawBf16(Draw& draw) {
  const uint64_t bits = draw.Bits();
  const uint16_t sign_and_fraction = static_cast<uint16_t>(bits & 0x807f);
  switch (bits >> 32 & 15) {
    case 0:  // zero or subnormal
      return (bits >> 40 & 1) != 0 ? sign_and_fraction : static_cast<uint16_t>(bits & 0x8000);
    case 1:  // any magnitude whose sums stay finite
      return static_cast<uint16_t>(sign_and_fraction | (bits >> 40) % 240 << 7);
    case 2:  // +-1: cancels
      return static_cast<uint16_t>((bits & 0x8000) | 0x3f80);
    default:  // 2^-4 to 2^3
      return static_cast<uint16_t>(sign_and_fraction | (123 + (bits >> 40) % 8) << 7);
  }
}

}  // namespace

const char* NameOf(Routing routing) {
  switch (routing) {
    case Routing::kUniform:
      return "uniform";
    case Routing::kGrouped:
      return "grouped";
    case Routing::kSparse:
      return "sparse";
    case Routing::kOneRank:
      return "one rank";
    case Routing::kOneExpert:
      return "one expert";
    case Routing::kEmptyRanks:
      return "empty ranks";
    default:
      return "nothing";
  }
}

std::vector<DispatchInput> DrawInputs(const Config& g, Routing routing, bool uneven,
                                      uint64_t seed) {
  std::vector<DispatchInput> inputs;
  for (int rank = 0; rank < g.ranks(); ++rank) {
    Draw draw(seed * 0x2545f4914f6cdd1dU + static_cast<uint64_t>(rank));
    DispatchInput& in = inputs.emplace_back();
    in.tokens = uneven ? (rank % 3 == 2 ? 0 : draw.Below(g.tokens + 1)) : g.tokens;
    for (int token = 0; token < in.tokens; ++token) DrawToken(g, routing, draw, &in);
    in.values.resize(static_cast<size_t>(in.tokens * g.value_bytes()));
    for (std::byte& value : in.values) value = static_cast<std::byte>(draw.Bits() >> 56);
    in.scales.resize(static_cast<size_t>(in.tokens) * static_cast<size_t>(g.scales()));
    for (float& scale : in.scales) scale = static_cast<float>(draw.Below(1 << 20)) * 0x1p-20F;
  }
  return inputs;
}

std::vector<CombineInput> DrawResults(const Config& g, const std::vector<int>& rows, bool weights,
                                      uint64_t seed) {
  std::vector<CombineInput> results;
  for (size_t rank = 0; rank < rows.size(); ++rank) {
    Draw draw(seed * 0x9e6c63d0876a9a47U + rank);
    CombineInput& in = results.emplace_back();
    for (int64_t i = 0; i < int64_t{rows[rank]} * g.hidden; ++i) {
      const uint16_t code = DrawBf16(draw);
      in.values.push_back(static_cast<std::byte>(code & 0xff));
      in.values.push_back(static_cast<std::byte>(code >> 8));
    }
    for (int64_t i = 0; weights && i < int64_t{rows[rank]} * g.selected; ++i) {
      in.weights.push_back(static_cast<float>(draw.Below(1 << 20) - (1 << 19)) * 0x1p-18F);
    }
  }
  return results;
}

}  // namespace pipescope::kernels::exchange
