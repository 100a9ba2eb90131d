#include "kernels/transformer/device/rows.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace pipescope::transformer::device {

RowList RowsOf(const std::vector<int32_t>& experts, int group, const ModelConfig& m) {
  RowList list;
  const int64_t of_group = m.routing.experts / m.expert_groups, selected = m.routing.selected;
  const auto here = [&](int64_t slot) {
    const int32_t expert = experts[static_cast<size_t>(slot)];
    return expert >= 0 && expert / of_group == group;
  };
  const int64_t tokens = static_cast<int64_t>(experts.size()) / selected;
  for (int64_t token = 0; token < tokens; ++token) {
    bool any = false;
    for (int64_t k = 0; k < selected; ++k) any = any || here(token * selected + k);
    if (!any) continue;
    list.tokens.push_back(token);
    for (int64_t slot = token * selected; slot < (token + 1) * selected; ++slot) {
      const int32_t expert = experts[static_cast<size_t>(slot)];
      list.slots.push_back(here(slot) ? slot : -1);
      list.experts.push_back(here(slot) ? static_cast<int32_t>(expert % of_group) : -1);
    }
  }
  return list;
}

Carried::List Carried::Upload(Tape& tape, const RowList& list) const {
  return {static_cast<int64_t>(list.tokens.size()), tape.Upload(list.tokens),
          tape.Upload(list.slots)};
}

// Leaves what is mine, and waits on the queue for what is there for me.
std::vector<LeftRows> Carried::Meet(Tape& tape, LeftRows left) const {
  left.ready = tape.kernels().Record();
  auto all = c_.meeting_->Meet(c_.exchanges_++, c_.place_, c_.places_, std::move(left));
  if (!all) throw std::runtime_error(all.error().ToString());
  for (const LeftRows& of_rank : *all) {
    if (of_rank.ready != nullptr) tape.kernels().Wait(of_rank.ready);
  }
  return std::move(*all);
}

// My rows as others can take them. `weights` null: of the rows alone.
LeftRows Carried::Leaving(Tape& tape, const Block& x, const Block& weights) const {
  LeftRows left;
  if (c_.meeting_->shares_memory()) {
    left.rows = {x};
    if (weights != nullptr) left.weights = {weights};
    return left;
  }
  const int64_t hidden = c_.model_.hidden, selected = c_.model_.routing.selected;
  for (size_t group = 0; group < of_mine_.size(); ++group) {
    const List& list = of_mine_[group];
    left.to.push_back(static_cast<int>(group) / c_.groups());
    left.counts.push_back(list.rows);
    left.rows.push_back(tape.Allocate<Bf16>(list.rows * hidden));
    tape.kernels().Gather(x->as<Bf16>(), list.tokens->as<int64_t>(), left.rows.back()->as<Bf16>(),
                          {list.rows, hidden});
    if (weights == nullptr) continue;
    left.weights.push_back(tape.Allocate<float>(list.rows * selected));
    tape.kernels().GatherFloats(weights->as<float>(), list.slots->as<int64_t>(),
                                left.weights.back()->as<float>(), list.rows * selected);
  }
  return left;
}

// The rows that `home` has for a group of mine.
Block Carried::RowsFrom(Tape& tape, const LeftRows& home, int group, const List& list) const {
  const Extent size{list.rows, c_.model_.hidden};
  Block rows = tape.Allocate<Bf16>(size.count());
  if (c_.meeting_->shares_memory()) {
    tape.kernels().Gather(home.rows[0]->as<Bf16>(), list.tokens->as<int64_t>(), rows->as<Bf16>(),
                          size);
  } else if (list.rows > 0) {
    tape.kernels().CopyBytes(rows->as<void>(), home.rows[static_cast<size_t>(group)]->as<void>(),
                             2 * size.count());
  }
  return rows;
}

Block Carried::WeightsFrom(Tape& tape, const LeftRows& home, int group, const List& list) const {
  const int64_t count = list.rows * c_.model_.routing.selected;
  Block weights = tape.Allocate<float>(count);
  if (c_.meeting_->shares_memory()) {
    tape.kernels().GatherFloats(home.weights[0]->as<float>(), list.slots->as<int64_t>(),
                                weights->as<float>(), count);
  } else if (list.rows > 0) {
    const Block& packed = home.weights[static_cast<size_t>(group)];
    tape.kernels().CopyBytes(weights->as<void>(), packed->as<void>(), 4 * count);
  }
  return weights;
}

// I have read all of it.
void Carried::Let(Tape& tape, const std::vector<LeftRows>& all) const {
  const EventPtr read = tape.kernels().Record();
  for (const LeftRows& left : all) {
    for (const auto* blocks : {&left.rows, &left.weights}) {
      for (const Block& block : *blocks) {
        if (block != nullptr) block->pool->AddGuard(block, read);
      }
    }
  }
}

std::vector<Arrived> Carried::Dispatch(Tape& tape, const Tensor& x, const Choice& choice) {
  const ModelConfig& m = c_.model_;
  tokens_ = x->size.rows;
  const auto mine = OnHost(tape, choice.experts, tokens_ * m.routing.selected);
  std::vector<int64_t> which(static_cast<size_t>(tokens_ * m.expert_groups), -1);
  int64_t row = 0;
  for (int group = 0; group < m.expert_groups; ++group) {
    const RowList list = RowsOf(mine, group, m);
    for (const int64_t token : list.tokens) {
      which[static_cast<size_t>(token * m.expert_groups + group)] = row++;
    }
    of_mine_.push_back(Upload(tape, list));
  }
  which_ = tape.Upload(which);
  LeftRows left = Leaving(tape, x->value, choice.weights->value);
  left.experts = mine;
  const auto all = Meet(tape, std::move(left));
  std::vector<Arrived> arrived;
  for (int group = c_.place_ * c_.groups(); group < (c_.place_ + 1) * c_.groups(); ++group) {
    for (const LeftRows& home : all) {
      const RowList list = RowsOf(home.experts, group, m);
      const List& on_device = of_arrived_.emplace_back(Upload(tape, list));
      const Extent size{on_device.rows, m.hidden}, choices{on_device.rows, m.routing.selected};
      arrived.push_back({group,
                         std::make_shared<TensorData>(
                             TensorData{size, RowsFrom(tape, home, group, on_device), nullptr}),
                         std::make_shared<TensorData>(TensorData{
                             choices, WeightsFrom(tape, home, group, on_device), nullptr}),
                         {nullptr, list.experts}});
    }
  }
  Let(tape, all);
  return arrived;
}

std::vector<Block> Carried::DispatchAgain(Tape& tape, const Block& dy) {
  const auto all = Meet(tape, Leaving(tape, dy, nullptr));
  std::vector<Block> arrived;
  for (size_t i = 0; i < of_arrived_.size(); ++i) {
    const int group = c_.place_ * c_.groups() + static_cast<int>(i / all.size());
    arrived.push_back(RowsFrom(tape, all[i % all.size()], group, of_arrived_[i]));
  }
  Let(tape, all);
  return arrived;
}

Block Carried::Combine(Tape& tape, const std::vector<Block>& rows,
                       const std::vector<Block>& weights, Block* d_weights) {
  const ModelConfig& m = c_.model_;
  const int64_t slots = tokens_ * m.routing.selected;
  LeftRows left{rows, weights, {}, nullptr};
  for (size_t i = 0; i < of_arrived_.size(); ++i) {
    left.to.push_back(static_cast<int>(i) % c_.places_);
    left.counts.push_back(of_arrived_[i].rows);
  }
  const auto all = Meet(tape, std::move(left));
  int64_t received = 0;
  for (const List& list : of_mine_) received += list.rows;
  const Block together = tape.Allocate<Bf16>(received * m.hidden);
  if (d_weights != nullptr) {
    *d_weights = tape.Allocate<float>(slots);
    tape.kernels().Zero((*d_weights)->as<void>(), 4 * slots);
  }
  Bf16* to = together->as<Bf16>();
  for (int group = 0; group < m.expert_groups; ++group) {
    const List& list = of_mine_[static_cast<size_t>(group)];
    if (list.rows == 0) continue;
    const LeftRows& owner = all[static_cast<size_t>(group / c_.groups())];
    const auto number = static_cast<size_t>(group % c_.groups() * c_.places_ + c_.place_);
    tape.kernels().CopyBytes(to, owner.rows[number]->as<void>(), 2 * list.rows * m.hidden);
    to += list.rows * m.hidden;
    if (d_weights == nullptr) continue;
    tape.kernels().ScatterFloats(owner.weights[number]->as<float>(), list.slots->as<int64_t>(),
                                 (*d_weights)->as<float>(), list.rows * m.routing.selected);
  }
  Let(tape, all);
  Block sum = tape.Allocate<Bf16>(tokens_ * m.hidden);
  tape.kernels().SumOfRows(together->as<Bf16>(), which_->as<int64_t>(), nullptr, m.expert_groups,
                           sum->as<Bf16>(), {tokens_, m.hidden});
  return sum;
}

std::vector<Arrived> SendRows(Tape& tape, Carried& carried, const Tensor& x, const Choice& choice) {
  std::vector<Arrived> all = carried.Dispatch(tape, x, choice);
  tape.Record([&tape, &carried, x, to = choice.weights, all] {
    std::vector<Block> rows, weights;
    for (const Arrived& arrived : all) {
      rows.push_back(arrived.rows->gradient);
      weights.push_back(arrived.weights->gradient);
    }
    Block d_weights;
    tape.AddGradient(x, carried.Combine(tape, rows, weights, &d_weights));
    tape.SetFloatGradient(to, std::move(d_weights));
  });
  return all;
}

Tensor CollectRows(Tape& tape, Carried& carried, const std::vector<Tensor>& results) {
  std::vector<Block> rows;
  for (const Tensor& result : results) rows.push_back(result->value);
  Block sum = carried.Combine(tape, rows, {}, nullptr);
  const int64_t columns = results.front()->size.columns;
  const int64_t tokens = carried.tokens();
  Tensor y = std::make_shared<TensorData>(TensorData{{tokens, columns}, std::move(sum), nullptr});
  tape.Record([&tape, &carried, y, results] {
    auto gradients = carried.DispatchAgain(tape, y->gradient);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!IsEmpty(results[i])) tape.AddGradient(results[i], std::move(gradients[i]));
    }
  });
  return y;
}

}  // namespace pipescope::transformer::device
