#include "kernels/exchange/nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "kernels/exchange/check.h"
#include "kernels/exchange/truth.h"

namespace pipescope::kernels::exchange {
namespace {

// One rank for real among others of which the truth is told: what this process can compare. Before
// each call all ranks agree: who has found something wrong does not call again, and the others must
// not wait for it inside of NCCL.
class OwnRank : public Exchange {
 public:
  OwnRank(NcclRank& rank, const Config& config, size_t own, Meeting& meeting)
      : rank_(rank), config_(config), own_(own), meeting_(meeting) {}

  Result<std::vector<DispatchOutput>> Dispatch(const std::vector<DispatchInput>& inputs) override {
    if (!Together()) return Fail(ended_.error());
    inputs_ = inputs;
    return With(rank_.Dispatch(inputs[own_]), DispatchTruth(config_, inputs));
  }
  Result<std::vector<DispatchOutput>> DispatchAgain(
      const std::vector<DispatchInput>& inputs) override {
    if (!Together()) return Fail(ended_.error());
    return With(rank_.DispatchAgain(inputs[own_]), DispatchTruth(config_, inputs));
  }
  Result<std::vector<CombineOutput>> Combine(const std::vector<CombineInput>& inputs,
                                             bool weights) override {
    if (!Together()) return Fail(ended_.error());
    return With(rank_.Combine(inputs[own_], weights),
                CombineTruth(config_, inputs_, inputs, weights));
  }
  Result<std::vector<double>> Seconds(Part part, int runs) override {
    if (!Together()) return Fail(ended_.error());
    return rank_.Seconds(part, runs);
  }

  // All ranks learn how this one's step went, and this one of theirs.
  Status Conclude(const Status& step) {
    if (ended_) ended_ = meeting_.Agree(step);
    return ended_;
  }

 private:
  bool Together() { return static_cast<bool>(Conclude({})); }

  template <class Output>
  Result<std::vector<Output>> With(Result<Output> mine, std::vector<Output> all) const {
    if (!mine) return Fail(mine.error());
    all[own_] = std::move(*mine);
    return all;
  }

  NcclRank& rank_;
  const Config& config_;
  const size_t own_;
  Meeting& meeting_;
  std::vector<DispatchInput> inputs_;
  Status ended_;  // what all were told
};

Status CheckRouting(OwnRank& rank, const NodesRequest& request, Routing routing, bool uneven) {
  const auto result = CheckExchange(rank, request.config, routing, uneven, request.seed);
  if (!result) return Fail(result.error());
  if (result->failure.empty()) return {};
  return Fail(fmt::format("{}: {}", NameOf(routing), result->failure));
}

// Each run's time at its slowest rank; the median of all but the first.
Result<Duration> SlowestMedian(OwnRank& rank, Part part, int runs, Meeting& meeting) {
  const auto own = rank.Seconds(part, runs + 1);
  if (auto ok = rank.Conclude(own ? Status() : Status(Fail(own.error()))); !ok) {
    return Fail(ok.error());
  }
  if (own->size() < 2) return Fail("runs: expected 1 or more");
  std::string bytes(own->size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), own->data(), bytes.size());
  const auto all = meeting.Collect(bytes);
  if (!all) return Fail(all.error());
  std::vector<double> slowest(own->size(), 0);
  for (const std::string& theirs : *all) {
    if (theirs.size() != bytes.size()) return Fail("times: expected as many of every rank");
    std::vector<double> times(own->size());
    std::memcpy(times.data(), theirs.data(), theirs.size());
    for (size_t i = 0; i < times.size(); ++i) slowest[i] = std::max(slowest[i], times[i]);
  }
  const auto first = slowest.begin() + 1;
  const auto middle = first + (slowest.end() - first) / 2;
  std::nth_element(first, middle, slowest.end());
  return Seconds(*middle);
}

// One dispatch and one combine of full ranks, which Seconds does again.
Status Prime(OwnRank& rank, const Config& config, const std::vector<DispatchInput>& inputs) {
  const auto outputs = rank.Dispatch(inputs);
  if (!outputs) return Fail(outputs.error());
  std::vector<int> rows;
  for (const DispatchOutput& out : *outputs) rows.push_back(out.rows);
  const auto sums = rank.Combine(DrawResults(config, rows, true, 1), true);
  return sums ? Status() : Status(Fail(sums.error()));
}

Result<std::unique_ptr<NcclRank>> MakeTogether(const NodesRequest& request, const Place& place,
                                               Meeting& meeting, const RankMaker& maker) {
  // The id also shows, on every rank, whether the library is there.
  const auto id = maker.new_id();
  if (auto ok = meeting.Agree(id ? Status() : Status(Fail(id.error()))); !ok) {
    return Fail(ok.error());
  }
  const auto shared = meeting.Share(std::string(id->data(), id->size()));
  if (!shared) return Fail(shared.error());
  NcclId common;
  if (shared->size() != common.size()) return Fail("NCCL's id: expected 128 bytes");
  std::copy(shared->begin(), shared->end(), common.begin());
  auto rank = maker.make(request, place, common);
  if (auto ok = meeting.Agree(rank ? Status() : Status(Fail(rank.error()))); !ok) {
    return Fail(ok.error());
  }
  return rank;
}

}  // namespace

RankMaker NcclRanks() {
  return {NewNcclId, [](const NodesRequest& request, const Place& place, const NcclId& id) {
            return NcclRank::Make(request.config, place.rank, place.local, id, request.way);
          }};
}

Result<NodesResult> RunOverNodes(const NodesRequest& request, const Place& place, Meeting& meeting,
                                 const RankMaker& maker) {
  const Config& config = request.config;
  if (auto ok = meeting.Agree(CheckConfig(config)); !ok) return Fail(ok.error());
  const auto made = MakeTogether(request, place, meeting, maker);
  if (!made) return Fail(made.error());
  OwnRank rank(**made, config, static_cast<size_t>(place.rank), meeting);
  NodesResult result;
  for (const Routing routing : kRoutings) {
    const Status ok = CheckRouting(rank, request, routing, result.routings % 2 == 1);
    if (auto all = rank.Conclude(ok); !all) return Fail(all.error());
    ++result.routings;
  }
  const auto inputs = DrawInputs(config, Routing::kGrouped, false, request.seed);
  if (auto ok = rank.Conclude(Prime(rank, config, inputs)); !ok) return Fail(ok.error());
  const auto dispatch = SlowestMedian(rank, Part::kDispatch, request.runs, meeting);
  if (!dispatch) return Fail(dispatch.error());
  const auto combine = SlowestMedian(rank, Part::kCombine, request.runs, meeting);
  if (!combine) return Fail(combine.error());
  const Volume volume = VolumeOf(config, inputs);
  result.dispatch = RatesOf(config, volume, DispatchRowBytes(config), *dispatch);
  result.combine = RatesOf(config, volume, 2 * int64_t{config.hidden}, *combine);
  return result;
}

std::string TextOf(const NodesRequest& request, const NodesResult& result) {
  const Config& g = request.config;
  std::string text = fmt::format(
      "{} nodes of {}, {} tokens of {} a rank, {} of {} experts, {} SMs, {}\n"
      "{} routings equal to the truth on every rank\n",
      g.nodes, g.locals, g.tokens, g.hidden, g.selected, g.experts, g.sms,
      request.way == Way::kProtocol ? "NCCL's device API" : "NCCL's send and receive",
      result.routings);
  const auto line = [&](const char* part, const Rates& r) {
    const auto gigabytes = [](Bandwidth b) { return b.value() * 1e-9; };
    text += fmt::format(
        "{:<9} {:>10.1f} us   RDMA {:>7.2f} GB/s (wire {:.2f})   NVLink {:>7.2f} GB/s (wire "
        "{:.2f})\n",
        part, r.time.microseconds(), gigabytes(r.rdma), gigabytes(r.rdma_wire), gigabytes(r.nvl),
        gigabytes(r.nvl_wire));
  };
  line("dispatch", result.dispatch);
  line("combine", result.combine);
  return text;
}

Result<JobReport> RunExchangeJob(NodesRequest request, const std::string& where,
                                 Duration patience) {
  const auto place = PlaceOf([](const char* name) -> const char* { return std::getenv(name); });
  if (!place) return Fail(place.error());
  if (where.empty() && place->nodes() > 1) {
    return Fail("--meet: expected HOST:PORT of rank 0, or a file that all nodes see");
  }
  request.config.nodes = place->nodes();
  request.config.locals = place->locals;
  request.config = WithTunedBuffers(request.config);
  auto meeting =
      Meeting::Open(where.empty() ? "127.0.0.1:29533" : where, place->rank, place->ranks, patience);
  if (!meeting) return Fail(meeting.error());
  const auto result = RunOverNodes(request, *place, **meeting, NcclRanks());
  if (!result) return JobReport{"", result.error().ToString()};
  return JobReport{place->rank == 0 ? TextOf(request, *result) : "", ""};
}

}  // namespace pipescope::kernels::exchange
