#include "kernels/executor/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include "kernels/executor/numbers.h"
#include "kernels/executor/packed.h"
#include "sim/base/quantity.h"

namespace pipescope::executor {
namespace {

std::string Text(std::chrono::milliseconds time) {
  return Format(Duration(time.count() * 1'000'000'000));
}

}  // namespace

Watch::Watch(Post& post, Stop& stop, Vigil& vigil, std::chrono::milliseconds patience)
    : post_(post), stop_(stop), vigil_(vigil), patience_(patience) {
  heard_.resize(static_cast<size_t>(post.ranks()), {Clock::now(), "the start"});
  for (size_t r = 0; r < heard_.size(); ++r) heard_[r].place = fmt::format("rank {}, the start", r);
  thread_ = std::thread([this] { Loop(); });
}

Watch::~Watch() {
  leaving_ = true;
  thread_.join();
}

std::vector<int> Watch::Others() const {
  std::vector<int> others;
  for (int r = 0; r < post_.ranks(); ++r) {
    // Rank 0 speaks with all, the others with it.
    if (r != post_.rank() && (r == 0 || post_.rank() == 0)) others.push_back(r);
  }
  return others;
}

void Watch::Loop() {
  auto beat = Clock::now();
  while (!leaving_) {
    const bool sending = !post_.Progress().empty();
    const auto now = Clock::now();
    if (now >= beat) {
      Beat();
      beat = now + kBeat;
    }
    Listen();
    CheckHeard(now);
    if (post_.rank() == 0) CheckProgress(now);
    if (stop_.stopped()) End(stop_.message(), true);
    std::this_thread::sleep_for(sending && !vigil_.pushes ? kPush : kLook);
  }
}

void Watch::Beat() {
  Packer packer;
  packer.Put(vigil_.standing.steps_run.load());
  packer.Put(vigil_.phase.load() == nullptr);
  const std::string place = vigil_.Place();
  packer.PutList(Letters(place));
  const std::string beat = packer.Take();
  for (const int other : Others()) {
    if (const Status sent = post_.Send<char>(other, kBeatNumber, Letters(beat)); !sent) {
      stop_.Fail(sent.error().message);
    }
  }
  auto& own = heard_[static_cast<size_t>(post_.rank())];
  own = {Clock::now(), place, vigil_.standing.steps_run.load(), vigil_.phase.load() == nullptr};
}

void Watch::Listen() {
  for (const int other : Others()) {
    while (auto letter = post_.Take<char>(other, kBeatNumber)) {
      const std::string beat = Words(*letter);
      Unpacker unpacker(beat);
      Heard& heard = heard_[static_cast<size_t>(other)];
      heard.last = Clock::now();
      heard.steps_run = unpacker.Get<int64_t>();
      heard.in_step = unpacker.Get<bool>();
      heard.place = Words(unpacker.GetList<char>());
    }
  }
  for (int r = 0; r < post_.ranks(); ++r) {
    if (r == post_.rank()) continue;
    if (const auto why = post_.Take<char>(r, kStopNumber)) End(Words(*why), false);
  }
}

void Watch::CheckHeard(Clock::time_point now) {
  for (const int other : Others()) {
    const Heard& heard = heard_[static_cast<size_t>(other)];
    if (now - heard.last < patience_) continue;
    stop_.Fail(heard.place + ": has not been heard of for " + Text(patience_));
  }
}

void Watch::CheckProgress(Clock::time_point now) {
  int64_t steps = 0;
  bool in_step = false;  // anyone: others may be through with theirs
  for (const Heard& heard : heard_) {
    steps += heard.steps_run;
    in_step = in_step || heard.in_step;
  }
  if (steps != steps_seen_ || !in_step) {
    steps_seen_ = steps;
    moved_ = now;
  } else if (now - moved_ > patience_) {
    std::string standings;
    for (const Heard& heard : heard_) standings += "\n  " + heard.place;
    stop_.Fail("no rank has got anywhere for " + Text(patience_) + "; they stand at" + standings);
  }
}

void Watch::End(const std::string& why, bool tell) {
  if (ended_.exchange(true)) {
    while (true) pause();
  }
  stop_.Fail(why);
  for (int r = 0; tell && r < post_.ranks(); ++r) {
    // Who cannot be told is ended by mpirun, or by its own patience.
    if (r != post_.rank()) (void)post_.Send<char>(r, kStopNumber, Letters(why));
  }
  const auto leave = Clock::now() + std::chrono::seconds(post_.rank()) + kLook;
  while (Clock::now() < leave) {
    post_.Progress();
    std::this_thread::sleep_for(kPush);
  }
  std::fprintf(stderr, "pipescope: error: %s\n", why.c_str());
  std::fflush(stderr);
  _exit(1);
}

}  // namespace pipescope::executor
