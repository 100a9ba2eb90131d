#include "sim/flow/simgrid_engine.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sim/base/result.h"
#include "sim/flow/simgrid_messages.h"

namespace pipescope::flow {
namespace {

std::vector<std::shared_ptr<const Pattern>> PatternsOf(const Plan& plan) {
  std::vector<std::shared_ptr<const Pattern>> patterns;
  for (const TimedBatch& b : plan.batches) patterns.push_back(b.pattern);
  return patterns;
}

}  // namespace

bool ReadAll(int socket, void* to, size_t bytes) {
  char* at = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t n = read(socket, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool WriteAll(int socket, const void* from, size_t bytes) {
  const char* at = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t n = send(socket, at, bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

SimGridEngine::SimGridEngine(const Plan& plan, Mode mode)
    : SimGridEngine(plan.network, PatternsOf(plan), mode) {}

SimGridEngine::SimGridEngine(const Network& network,
                             std::vector<std::shared_ptr<const Pattern>> patterns, Mode mode)
    : patterns_(std::move(patterns)) {
  int ends[2];
  PIPESCOPE_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  process_ = fork();
  PIPESCOPE_CHECK(process_ >= 0);
  if (process_ == 0) {
    close(ends[0]);
    ServeSimGrid(ends[1], network, patterns_, mode);
    _exit(0);  // nothing of the other process's is to be flushed or destroyed here
  }
  close(ends[1]);
  socket_ = ends[0];
}

SimGridEngine::~SimGridEngine() {
  close(socket_);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

FlowId SimGridEngine::Add(std::shared_ptr<const Pattern> pattern) {
  const auto at = std::find(patterns_.begin(), patterns_.end(), pattern);
  PIPESCOPE_CHECK(at != patterns_.end());
  const Request request = {Request::Kind::kAdd, at - patterns_.begin()};
  PIPESCOPE_CHECK(WriteAll(socket_, &request, sizeof(request)));
  return std::exchange(flows_, flows_ + pattern->batch().size());
}

void SimGridEngine::Cancel(FlowId flow) {
  const Request request = {Request::Kind::kCancel, flow};
  PIPESCOPE_CHECK(WriteAll(socket_, &request, sizeof(request)));
}

void SimGridEngine::SetCapacity(int32_t link, Bandwidth capacity) {
  const Request request = {Request::Kind::kSetCapacity, link, 0, capacity.value()};
  PIPESCOPE_CHECK(WriteAll(socket_, &request, sizeof(request)));
}

Duration SimGridEngine::Next() {
  const Request request = {Request::Kind::kNext};
  int64_t next = 0;
  PIPESCOPE_CHECK(WriteAll(socket_, &request, sizeof(request)));
  PIPESCOPE_CHECK(ReadAll(socket_, &next, sizeof(next)));
  return Duration(next);
}

void SimGridEngine::AdvanceTo(Duration time, std::vector<Ended>& ended) {
  PIPESCOPE_CHECK(time >= now_);
  const Request request = {Request::Kind::kAdvance, 0, time.picoseconds()};
  int64_t count = 0;
  PIPESCOPE_CHECK(WriteAll(socket_, &request, sizeof(request)));
  PIPESCOPE_CHECK(ReadAll(socket_, &count, sizeof(count)));
  const size_t before = ended.size();
  ended.resize(before + static_cast<size_t>(count));
  PIPESCOPE_CHECK(
      ReadAll(socket_, ended.data() + before, static_cast<size_t>(count) * sizeof(Ended)));
  now_ = time;
}

}  // namespace pipescope::flow
