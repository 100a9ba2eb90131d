#include "kernels/transformer/letter_rows.h"

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>

#include "kernels/bf16_code.h"
#include "kernels/executor/numbers.h"
#include "kernels/transformer/row_layout.h"
#include "kernels/transformer/tape.h"

namespace pipescope::transformer {
namespace {

void Check(const Status& status) {
  if (!status) throw std::runtime_error(status.error().ToString());
}

template <class T>
void Append(std::vector<char>& letter, const std::vector<T>& values) {
  const size_t at = letter.size();
  letter.resize(at + values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(letter.data() + at, values.data(), values.size() * sizeof(T));
}

void AppendBf16(std::vector<char>& letter, const std::vector<float>& values) {
  std::vector<uint16_t> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    codes[i] = static_cast<uint16_t>(kernels::ToBf16(values[i]));
  }
  Append(letter, codes);
}

// Takes a letter apart from its beginning on.
class Opened {
 public:
  explicit Opened(const std::vector<char>& letter) : letter_(letter) {}

  template <class T>
  std::vector<T> Take(size_t count) {
    PIPESCOPE_CHECK(count <= (letter_.size() - at_) / sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), letter_.data() + at_, count * sizeof(T));
    at_ += count * sizeof(T);
    return values;
  }
  std::vector<float> TakeBf16(size_t count) {
    const auto codes = Take<uint16_t>(count);
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = kernels::FromBf16(codes[i]);
    return values;
  }

 private:
  const std::vector<char>& letter_;
  size_t at_ = 0;
};

class RowsByLetter : public ExpertRows {
 public:
  RowsByLetter(const ModelConfig& m, GroupLetters& letters, int place)
      : letters_(letters),
        layout_(m.routing.experts, m.routing.selected, m.expert_groups),
        hidden_(static_cast<size_t>(m.hidden)),
        selected_(static_cast<size_t>(m.routing.selected)),
        groups_(static_cast<size_t>(m.expert_groups)),
        place_(static_cast<size_t>(place)) {}

  std::vector<Arrived> Dispatch(std::span<const float> x, std::span<const int32_t> experts,
                                std::span<const float> weights) override {
    auto leaving = layout_.LayOut(experts, weights);
    SendToOthers([&](size_t group) {
      auto letter = RowsFor(group, x);
      Append(letter, leaving[group].experts);
      Append(letter, leaving[group].weights);
      return letter;
    });
    std::vector<Arrived> arrived(groups_);
    came_.assign(groups_, 0);
    for (size_t home = 0; home < groups_; ++home) {
      Arrived& from = arrived[home];
      if (home == place_) {
        from = std::move(leaving[home]);
        from.rows = layout_.RowsOf(home, x);
        came_[home] = layout_.rows(home);
      } else {
        const auto letter = Receive(home);
        const size_t bytes = 2 * hidden_ + 8 * selected_;
        const size_t rows = came_[home] = letter.size() / bytes;
        Expect(home, letter, rows, bytes);
        Opened opened(letter);
        from.rows = opened.TakeBf16(rows * hidden_);
        from.experts = opened.Take<int32_t>(rows * selected_);
        from.weights = opened.Take<float>(rows * selected_);
      }
      from.group = static_cast<int>(place_);
    }
    return arrived;
  }

  RowLists DispatchAgain(std::span<const float> dy) override {
    SendToOthers([&](size_t group) { return RowsFor(group, dy); });
    RowLists lists;
    for (size_t home = 0; home < groups_; ++home) {
      if (home == place_) {
        lists.push_back(layout_.RowsOf(home, dy));
        continue;
      }
      const auto letter = Receive(home);
      Expect(home, letter, came_[home], 2 * hidden_);
      lists.push_back(Opened(letter).TakeBf16(came_[home] * hidden_));
    }
    return lists;
  }

  Combined Combine(const RowLists& rows, const RowLists& weights) override {
    const bool weighted = !weights.empty();
    SendToOthers([&](size_t home) {
      std::vector<char> letter;
      AppendBf16(letter, rows[home]);
      if (weighted) Append(letter, weights[home]);
      return letter;
    });
    Combined sums{std::vector<float>(layout_.tokens() * hidden_), {}};
    if (weighted) sums.weights.resize(layout_.tokens() * selected_);
    for (size_t group = 0; group < groups_; ++group) {
      if (group == place_) {
        auto own = rows[group];
        RoundToBf16(own);
        layout_.AddTo(sums.values, group, own);
        if (weighted) layout_.AddTo(sums.weights, group, weights[group]);
      } else {
        AddLetter(group, weighted, sums);
      }
    }
    RoundToBf16(sums.values);
    return sums;
  }

 private:
  // In turn from the next place on, so that not all send to the same one at once.
  template <class Letter>
  void SendToOthers(const Letter& letter_to) {
    for (size_t i = 1; i < groups_; ++i) {
      const size_t to = (place_ + i) % groups_;
      Check(letters_.Send(static_cast<int>(to), letter_to(to)));
    }
  }

  std::vector<char> RowsFor(size_t group, std::span<const float> x) const {
    std::vector<char> letter;
    AppendBf16(letter, layout_.RowsOf(group, x));
    return letter;
  }

  void AddLetter(size_t group, bool weighted, Combined& sums) {
    const auto letter = Receive(group);
    const size_t rows = layout_.rows(group);
    Expect(group, letter, rows, 2 * hidden_ + (weighted ? 4 * selected_ : 0));
    Opened opened(letter);
    layout_.AddTo(sums.values, group, opened.TakeBf16(rows * hidden_));
    if (weighted) layout_.AddTo(sums.weights, group, opened.Take<float>(rows * selected_));
  }

  std::vector<char> Receive(size_t from) {
    auto letter = letters_.Receive(static_cast<int>(from));
    if (!letter) throw std::runtime_error(letter.error().ToString());
    return *std::move(letter);
  }

  // Another program, or a rank whose steps are in another order.
  void Expect(size_t from, const std::vector<char>& letter, size_t rows, size_t bytes) const {
    if (letter.size() == rows * bytes) return;
    throw std::runtime_error(
        fmt::format("{} bytes came from place {} of the group of experts: expected {} rows of {}",
                    letter.size(), from, rows, bytes));
  }

  GroupLetters& letters_;
  RowLayout layout_;
  const size_t hidden_, selected_, groups_, place_;
  std::vector<size_t> came_;  // [home] rows
};

}  // namespace

Status PostLetters::Send(int to, std::vector<char> letter) {
  return post_.Send<char>(ranks_[static_cast<size_t>(to)], executor::kRowsNumber,
                          std::move(letter));
}

Result<std::vector<char>> PostLetters::Receive(int from) {
  return post_.Receive<char>(ranks_[static_cast<size_t>(from)], executor::kRowsNumber);
}

std::unique_ptr<ExpertRows> OverLetters::Open() {
  return std::make_unique<RowsByLetter>(model_, *letters_, place_);
}

}  // namespace pipescope::transformer
