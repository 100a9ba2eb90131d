#include "kernels/transformer/device/rows_apart.h"

#include <fmt/format.h>

#include "kernels/executor/numbers.h"
#include "kernels/executor/packed.h"

namespace pipescope::transformer::device {
namespace {

struct Sent {
  uint64_t block = 0;
  int64_t rows = 0;
};

std::string NameOf(int64_t exchange, uint64_t block, const char* what) {
  return fmt::format("{} {} {}", what, exchange, block);
}

}  // namespace

Result<std::vector<LeftRows>> RowsApart::Meet(int64_t exchange, int place, int places,
                                              LeftRows left) {
  for (int i = 1; i < places; ++i) {  // in turn, so that not all send to the same one at once
    if (auto ok = Send(exchange, (place + i) % places, left); !ok) return Fail(ok.error());
  }
  std::vector<LeftRows> all;
  const size_t blocks = left.rows.size();  // as many on every rank
  for (int home = 0; home < places; ++home) {
    if (home == place) {
      all.push_back(left);
      continue;
    }
    auto theirs = Take(exchange, home, blocks);
    if (!theirs) return Fail(theirs.error());
    all.push_back(*std::move(theirs));
  }
  return all;
}

Status RowsApart::Send(int64_t exchange, int to, const LeftRows& left) {
  const int rank = ranks_[static_cast<size_t>(to)];
  std::vector<Sent> sent;
  for (size_t i = 0; i < left.rows.size(); ++i) {
    if (left.to[i] != to || left.counts[i] == 0) continue;
    sent.push_back({i, left.counts[i]});
    auto ok = parcels_.Send(rank, NameOf(exchange, i, "rows"), left.rows[i],
                            row_bytes() * left.counts[i], left.ready);
    if (ok && !left.weights.empty()) {
      ok = parcels_.Send(rank, NameOf(exchange, i, "weights"), left.weights[i],
                         weight_bytes() * left.counts[i], left.ready);
    }
    if (!ok) return ok;
  }
  executor::Packer packer;
  packer.PutList(left.experts);
  packer.Put(!left.weights.empty());
  packer.PutList(sent);
  const std::string letter = packer.Take();
  return post_.Send<char>(rank, executor::kRowsNumber, executor::Letters(letter));
}

Result<LeftRows> RowsApart::Take(int64_t exchange, int from, size_t blocks) {
  const int rank = ranks_[static_cast<size_t>(from)];
  const auto letter = post_.Receive<char>(rank, executor::kRowsNumber);
  if (!letter) return Fail(letter.error());
  const std::string words(letter->begin(), letter->end());
  executor::Unpacker unpacker(words);
  LeftRows left;
  left.experts = unpacker.GetList<int32_t>();
  const bool weights = unpacker.Get<bool>();
  left.rows.resize(blocks);
  left.weights.resize(weights ? blocks : 0);
  for (const Sent& sent : unpacker.GetList<Sent>()) {
    auto rows = parcels_.Take(rank, NameOf(exchange, sent.block, "rows"));
    if (!rows) return Fail(rows.error());
    left.rows[sent.block] = std::move(rows->block);
    left.ready = std::move(rows->ready);  // of a link the last is there last
    if (!weights) continue;
    auto of_rows = parcels_.Take(rank, NameOf(exchange, sent.block, "weights"));
    if (!of_rows) return Fail(of_rows.error());
    left.weights[sent.block] = std::move(of_rows->block);
    left.ready = std::move(of_rows->ready);
  }
  return left;
}

}  // namespace pipescope::transformer::device
