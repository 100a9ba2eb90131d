#include "kernels/executor/agree.h"

namespace pipescope::executor {
namespace {

// The first letter tells words from an error.
constexpr char kWords = '+', kError = '-';

Status Judge(const std::vector<std::string>& all,
             const std::function<Status(const std::vector<std::string>&)>& judge) {
  std::vector<std::string> words;
  for (size_t rank = 0; rank < all.size(); ++rank) {
    PIPESCOPE_CHECK(!all[rank].empty());
    const std::string rest = all[rank].substr(1);
    if (all[rank][0] == kError) return Fail("rank " + std::to_string(rank) + ": " + rest);
    words.push_back(rest);
  }
  return judge(words);
}

}  // namespace

Status Agree(Crew& crew, const Result<std::string>& own,
             const std::function<Status(const std::vector<std::string>&)>& judge) {
  const auto all = crew.Gather(own ? kWords + *own : kError + own.error().message);
  if (!all) return Fail(all.error());
  std::string verdict;
  if (crew.leads()) {
    if (const Status judged = Judge(*all, judge); !judged) verdict = judged.error().message;
  }
  const auto shared = crew.Share(verdict);
  if (!shared) return Fail(shared.error());
  return shared->empty() ? Status() : Fail(*shared);
}

}  // namespace pipescope::executor
