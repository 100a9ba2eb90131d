#include "kernels/executor/keeper.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <thread>

namespace pipescope::executor {
namespace {

// Between the end of a failed rank and that of its keeper. mpirun may tidy up as soon as the last
// keeper is gone, while a thread of its own still takes note that the rank's connection is: OpenMPI
// 4.1.4 with PMIx 4.2.2 crashes or hangs at that now and then, when all ranks have ended. Of jobs
// that fail at once, four side by side on 2 processors, 10 of 400 did; with this pause alone 7 of
// 240, where ranks have met before (ProcessCrew::Join) 2 of 240, with both none of 540; six side by
// side with both 4 of 330.
constexpr auto kLinger = std::chrono::milliseconds(100);

volatile std::sig_atomic_t ended_from_outside = 0;
volatile pid_t kept = 0;

void EndKept(int) {
  ended_from_outside = 1;
  if (kept > 0) kill(kept, SIGKILL);
}

[[noreturn]] void Keep(const Vigil& vigil, pid_t child) {
  kept = child;
  struct sigaction action = {};
  action.sa_handler = EndKept;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  kept = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) _exit(0);
  std::this_thread::sleep_for(kLinger);
  if (WIFEXITED(status)) _exit(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  // mpirun signals parent and child alike: the job is being ended, and who ended it has said why.
  const bool silent = ended_from_outside != 0 || signal == SIGTERM || signal == SIGINT;
  if (!silent || vigil.rank == 0) {
    const std::string why =
        silent ? std::string("the job was ended from outside")
               : fmt::format("its process was ended by signal {} ({})", signal, strsignal(signal));
    std::fprintf(stderr, "pipescope: error: %s: %s\n", vigil.Place().c_str(), why.c_str());
  }
  _exit(1);
}

}  // namespace

std::string Vigil::Place() const {
  const char* const at = phase.load();
  if (at != nullptr) return fmt::format("rank {}, {}", rank, at);
  return executor::Place(rank, standing.action, standing.actions, standing.now.Get());
}

Result<Vigil*> StartKept(int rank) {
  void* const shared =
      mmap(nullptr, sizeof(Vigil), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return Fail(std::string("no memory to share: ") + strerror(errno));
  Vigil* const vigil = new (shared) Vigil;
  vigil->rank = rank;
  std::fflush(nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child < 0) return Fail(std::string("no process for the rank: ") + strerror(errno));
  if (child > 0) Keep(*vigil, child);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it has ended already
  return vigil;
}

}  // namespace pipescope::executor
