#include "kernels/transformer/exchange_rows.h"

#include <cstring>
#include <stdexcept>

#include "kernels/bf16_code.h"

namespace pipescope::transformer {
namespace {

namespace exchange = kernels::exchange;

exchange::Config ConfigOf(const ModelConfig& m) {
  exchange::Config config;
  config.locals = m.expert_groups;
  config.experts = static_cast<int>(m.routing.experts);
  config.selected = static_cast<int>(m.routing.selected);
  config.hidden = static_cast<int>(exchange::AlignUp(m.hidden, exchange::kScaledBy));
  config.tokens = static_cast<int>(m.tokens);
  config.format = exchange::Format::kBf16;
  config.sms = 2;  // one channel: a rank's lane is one thread
  return config;
}

template <class T>
T Or(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  return std::move(*result);
}

class RowsOverExchange : public ExpertRows {
 public:
  RowsOverExchange(const ModelConfig& model, exchange::CpuGroup& group, int place)
      : m_(model), config_(ConfigOf(model)), group_(group), place_(place) {}

  std::vector<Arrived> Dispatch(std::span<const float> x, std::span<const int32_t> experts,
                                std::span<const float> weights) override {
    exchange::DispatchInput input = InputOf(x);
    input.experts.assign(experts.begin(), experts.end());
    input.weights.assign(weights.begin(), weights.end());
    const auto output = Or(group_.Dispatch(place_, input, handle_));
    starts_.assign(static_cast<size_t>(config_.ranks()) + 1, 0);
    for (const exchange::Source& source : output.sources) {
      ++starts_[static_cast<size_t>(source.home) + 1];
    }
    for (size_t home = 1; home < starts_.size(); ++home) starts_[home] += starts_[home - 1];
    const RowLists rows = Decode(output.values);
    std::vector<Arrived> arrived;
    for (size_t home = 0; home < rows.size(); ++home) {
      arrived.push_back({place_, rows[home], Part(output.experts, home, config_.selected),
                         Part(output.weights, home, config_.selected)});
    }
    return arrived;
  }

  RowLists DispatchAgain(std::span<const float> dy) override {
    return Decode(Or(group_.DispatchAgain(InputOf(dy), handle_)).values);
  }

  Combined Combine(const RowLists& rows, const RowLists& weights) override {
    exchange::CombineInput input;
    for (const auto& of_home : rows) Encode(of_home, input.values);
    for (const auto& of_home : weights) {
      input.weights.insert(input.weights.end(), of_home.begin(), of_home.end());
    }
    const bool with_weights = !weights.empty();
    auto output = Or(group_.Combine(input, with_weights, handle_));
    return {DecodeRows(output.values, 0, output.values.size() / RowBytes()),
            std::move(output.weights)};
  }

 private:
  size_t RowBytes() const { return 2 * static_cast<size_t>(config_.hidden); }

  exchange::DispatchInput InputOf(std::span<const float> x) const {
    exchange::DispatchInput input;
    input.tokens = static_cast<int>(x.size() / static_cast<size_t>(m_.hidden));
    Encode(x, input.values);
    return input;
  }

  void Encode(std::span<const float> rows, std::vector<std::byte>& to) const {
    const size_t columns = static_cast<size_t>(m_.hidden), count = rows.size() / columns;
    const size_t from = to.size();
    to.resize(from + count * RowBytes());
    for (size_t r = 0; r < count; ++r) {
      std::byte* row = to.data() + from + r * RowBytes();
      for (size_t c = 0; c < columns; ++c) {
        const auto code = static_cast<uint16_t>(kernels::ToBf16(rows[r * columns + c]));
        std::memcpy(row + 2 * c, &code, sizeof(code));
      }
    }
  }

  std::vector<float> DecodeRows(const std::vector<std::byte>& values, size_t first,
                                size_t end) const {
    const size_t columns = static_cast<size_t>(m_.hidden);
    std::vector<float> rows((end - first) * columns);
    for (size_t r = first; r < end; ++r) {
      for (size_t c = 0; c < columns; ++c) {
        uint16_t code = 0;
        std::memcpy(&code, values.data() + r * RowBytes() + 2 * c, sizeof(code));
        rows[(r - first) * columns + c] = kernels::FromBf16(code);
      }
    }
    return rows;
  }

  RowLists Decode(const std::vector<std::byte>& values) const {
    RowLists lists;
    for (size_t home = 0; home + 1 < starts_.size(); ++home) {
      lists.push_back(DecodeRows(values, starts_[home], starts_[home + 1]));
    }
    return lists;
  }

  template <class T>
  std::vector<T> Part(const std::vector<T>& all, size_t home, int columns) const {
    const auto at = [&](size_t row) { return all.begin() + static_cast<int64_t>(row) * columns; };
    return std::vector<T>(at(starts_[home]), at(starts_[home + 1]));
  }

  const ModelConfig& m_;
  const exchange::Config config_;
  exchange::CpuGroup& group_;
  const int place_;
  exchange::Handle handle_;
  std::vector<size_t> starts_;  // [home] its first row; rows are sorted by home
};

}  // namespace

Result<std::unique_ptr<exchange::CpuGroup>> MakeGroup(const ModelConfig& model) {
  return exchange::CpuGroup::Make(ConfigOf(model));
}

std::unique_ptr<ExpertRows> OverExchange::Open() {
  return std::make_unique<RowsOverExchange>(model_, *group_, place_);
}

}  // namespace pipescope::transformer
