// Jobs of several processes, started by a real mpirun on this machine, without any network but its
// own: what else MPI needs in a sandbox, in a container and as root is set here, by the test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace pipescope {

struct Job {
  int exit = -1;  // of mpirun; -1 where a signal ended it
  // mpirun itself crashed or hung after all processes had ended. OpenMPI 4.1.4 with PMIx 4.2.2 does
  // where ranks fail, in PMIx_server_finalize, in up to one of a hundred jobs of a busy machine.
  bool mpirun_broke = false;
  std::string out, err;
  std::chrono::duration<double> took{};

  bool EndedWith(int code) const { return exit == code || mpirun_broke; }
};

class MpiRun {
 public:
  // `command`: program and arguments, for each of the processes.
  MpiRun(int processes, const std::vector<std::string>& command);
  ~MpiRun();
  MpiRun(const MpiRun&) = delete;
  MpiRun& operator=(const MpiRun&) = delete;

  // Kills it where it does not end by itself.
  Job Wait(std::chrono::seconds most = std::chrono::seconds(240));

  // Its processes that run now, those that they forked included, but for mpirun.
  std::vector<pid_t> Processes() const;
  // Of those the one that has no child and is that rank; 0 where there is none.
  pid_t Worker(int rank) const;

 private:
  std::string folder_;
  pid_t mpirun_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pipescope
