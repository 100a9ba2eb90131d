#include "kernels/exchange/truth.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/train/bf16.h"

namespace pipescope::kernels::exchange {
namespace {

bool Wants(const Config& g, const DispatchInput& in, int token, int rank) {
  for (int k = 0; k < g.selected; ++k) {
    const int expert = in.experts[static_cast<size_t>(token * g.selected + k)];
    if (expert >= 0 && g.RankOfExpert(expert) == rank) return true;
  }
  return false;
}

template <class T>
void AppendRow(const std::vector<T>& from, int64_t row, int64_t width, std::vector<T>* to) {
  to->insert(to->end(), from.begin() + row * width, from.begin() + (row + 1) * width);
}

void AppendToken(const Config& g, const DispatchInput& in, int home, int token, int rank,
                 DispatchOutput* out) {
  ++out->rows;
  AppendRow(in.values, token, g.value_bytes(), &out->values);
  AppendRow(in.scales, token, g.scales(), &out->scales);
  out->sources.push_back({home, token});
  for (int k = 0; k < g.selected; ++k) {
    const size_t i = static_cast<size_t>(token * g.selected + k);
    const bool here = in.experts[i] >= 0 && g.RankOfExpert(in.experts[i]) == rank;
    out->experts.push_back(here ? in.experts[i] % g.experts_of_rank() : -1);
    out->weights.push_back(here ? in.weights[i] : 0);
    if (here) ++out->expert_rows[static_cast<size_t>(out->experts.back())];
  }
}

// The row that `rank` has of each token of each home, -1 for none: [rank][home][token].
class Rows {
 public:
  Rows(const Config& g, const std::vector<DispatchInput>& inputs)
      : rows_(static_cast<size_t>(g.ranks())) {
    for (int rank = 0; rank < g.ranks(); ++rank) {
      int row = 0;
      for (const DispatchInput& in : inputs) {
        std::vector<int>& of_home = rows_[static_cast<size_t>(rank)].emplace_back();
        for (int token = 0; token < in.tokens; ++token) {
          of_home.push_back(Wants(g, in, token, rank) ? row++ : -1);
        }
      }
    }
  }
  int Of(int rank, int home, int token) const {
    return rows_[static_cast<size_t>(rank)][static_cast<size_t>(home)][static_cast<size_t>(token)];
  }

 private:
  std::vector<std::vector<std::vector<int>>> rows_;
};

float Value(const std::vector<std::byte>& values, int64_t index) {
  uint16_t code = 0;
  std::memcpy(&code, values.data() + 2 * index, 2);
  return DecodeBf16(code);
}

float Rounded(float value) { return DecodeBf16(EncodeBf16(value)); }

// One value or weight of a token, from what each rank's row holds of it.
template <class Get>
float Sum(const Config& g, const Rows& rows, int home, int token, bool rounds, const Get& get) {
  float sum = 0;
  for (int node = 0; node < g.nodes; ++node) {
    float on_node = 0;
    bool any = false;
    for (int local = 0; local < g.locals; ++local) {
      const int rank = g.RankOf(node, local);
      const int row = rows.Of(rank, home, token);
      if (row < 0) continue;
      on_node += get(rank, row);
      any = true;
    }
    if (any) sum += rounds && g.nodes > 1 ? Rounded(on_node) : on_node;
  }
  return sum;
}

}  // namespace

std::vector<DispatchOutput> DispatchTruth(const Config& g,
                                          const std::vector<DispatchInput>& inputs) {
  std::vector<DispatchOutput> outputs(static_cast<size_t>(g.ranks()));
  for (int rank = 0; rank < g.ranks(); ++rank) {
    DispatchOutput& out = outputs[static_cast<size_t>(rank)];
    out.expert_rows.resize(static_cast<size_t>(g.experts_of_rank()));
    for (int home = 0; home < g.ranks(); ++home) {
      const DispatchInput& in = inputs[static_cast<size_t>(home)];
      for (int token = 0; token < in.tokens; ++token) {
        if (Wants(g, in, token, rank)) AppendToken(g, in, home, token, rank, &out);
      }
    }
    for (int32_t& count : out.expert_rows) {
      count = static_cast<int32_t>(AlignUp(count, g.alignment));
    }
  }
  return outputs;
}

std::vector<CombineOutput> CombineTruth(const Config& g, const std::vector<DispatchInput>& inputs,
                                        const std::vector<CombineInput>& results, bool weights) {
  const Rows rows(g, inputs);
  std::vector<CombineOutput> outputs(inputs.size());
  for (int home = 0; home < g.ranks(); ++home) {
    CombineOutput& out = outputs[static_cast<size_t>(home)];
    for (int token = 0; token < inputs[static_cast<size_t>(home)].tokens; ++token) {
      for (int c = 0; c < g.hidden; ++c) {
        const uint16_t code =
            EncodeBf16(Sum(g, rows, home, token, true, [&](int rank, int64_t row) {
              return Value(results[static_cast<size_t>(rank)].values, row * g.hidden + c);
            }));
        out.values.push_back(static_cast<std::byte>(code & 0xff));
        out.values.push_back(static_cast<std::byte>(code >> 8));
      }
      for (int k = 0; k < g.selected && weights; ++k) {
        out.weights.push_back(Sum(g, rows, home, token, false, [&](int rank, int64_t row) {
          return results[static_cast<size_t>(rank)]
              .weights[static_cast<size_t>(row * g.selected + k)];
        }));
      }
    }
  }
  return outputs;
}

WideSums CombineWide(const Config& g, const std::vector<DispatchInput>& inputs,
                     const std::vector<CombineInput>& results) {
  const Rows rows(g, inputs);
  WideSums wide;
  for (int home = 0; home < g.ranks(); ++home) {
    auto& sums = wide.sums.emplace_back();
    auto& magnitudes = wide.magnitudes.emplace_back();
    for (int token = 0; token < inputs[static_cast<size_t>(home)].tokens; ++token) {
      for (int c = 0; c < g.hidden; ++c) {
        double sum = 0, magnitude = 0;
        for (int rank = 0; rank < g.ranks(); ++rank) {
          const int64_t row = rows.Of(rank, home, token);
          if (row < 0) continue;
          const double x = Value(results[static_cast<size_t>(rank)].values, row * g.hidden + c);
          sum += x;
          magnitude += std::abs(x);
        }
        sums.push_back(sum);
        magnitudes.push_back(magnitude);
      }
    }
  }
  return wide;
}

}  // namespace pipescope::kernels::exchange
