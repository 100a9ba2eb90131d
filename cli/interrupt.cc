#include "cli/interrupt.h"

#include <csignal>

namespace pipescope::cli {
namespace {

std::atomic<bool> stop = false;
std::atomic<int> caught = 0;
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void OnSignal(int signal) {
  caught = signal;
  stop = true;
}

}  // namespace

std::atomic<bool>& CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  return stop;
}

int InterruptExitCode() { return caught == 0 ? 0 : 128 + caught; }

}  // namespace pipescope::cli
