// Dispatch and combine among the processes of a job, one a GPU: checked against the truth, and
// timed. What `kernels exchange` runs under mpirun or srun.
//
//   1. all ranks agree that each can take part, then rank 0's NCCL id goes to all
//   2. each routing: every rank's dispatch, combine and second dispatch against the truth of that
//      rank, to the bit; all agree after each, so that one failure ends it everywhere, named
//      A rank that fails inside of NCCL leaves the others there; it ends with exit 1 once they do
//      not answer, and mpirun ends them (srun: --kill-on-bad-exit)
//   3. dispatch and combine `runs` times; a run lasts as long as its slowest rank
//
// Example: mpirun -n 16 -N 8 kernels exchange --meet node0:29500 --tokens 4096 --sms 20
#pragma once

#include <functional>

#include "kernels/exchange/bench.h"
#include "kernels/exchange/meeting.h"
#include "kernels/exchange/nccl_exchange.h"
#include "kernels/exchange/place.h"

namespace pipescope::kernels::exchange {

struct NodesRequest {
  Config config;  // nodes and locals as the place says
  Way way = Way::kProtocol;
  uint64_t seed = 1;
  int runs = 11;
};

// How a rank comes to be: NCCL's, or a test's.
struct RankMaker {
  std::function<Result<NcclId>()> new_id;
  std::function<Result<std::unique_ptr<NcclRank>>(const NodesRequest&, const Place&, const NcclId&)>
      make;
};
RankMaker NcclRanks();

struct NodesResult {
  int routings = 0;  // that went well
  Rates dispatch, combine;
};
std::string TextOf(const NodesRequest& request, const NodesResult& result);

// Fails, at every rank with the same words, where one of them failed or is missing.
Result<NodesResult> RunOverNodes(const NodesRequest& request, const Place& place, Meeting& meeting,
                                 const RankMaker& maker);

struct JobReport {
  std::string text;     // on rank 0, "" on the others
  std::string failure;  // what was wrong after all had met, or empty
};
// The whole of it: place from the environment, meeting at `where`, NCCL's ranks. Of one machine
// `where` may be empty. Fails where the job is wrongly started, or ranks do not come.
Result<JobReport> RunExchangeJob(NodesRequest request, const std::string& where, Duration patience);

}  // namespace pipescope::kernels::exchange
