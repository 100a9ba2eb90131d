#include "tests/tools/mpirun.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace pipescope {
namespace {

namespace fs = std::filesystem;

// How often it is looked who is there, and how long an mpirun may stay when all others have gone.
constexpr auto kLook = std::chrono::seconds(1), kAlone = std::chrono::seconds(8);

std::string Slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Redirect(int fd, const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || dup2(file, fd) < 0) _exit(126);
}

// Of this machine alone, by shared memory; as root; more processes than processors, on any of them.
void SetEnvironment(const std::string& folder) {
  const std::vector<std::pair<const char*, std::string>> variables = {
      {"OMPI_ALLOW_RUN_AS_ROOT", "1"},
      {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"},
      {"OMPI_MCA_rmaps_base_oversubscribe", "1"},
      {"OMPI_MCA_hwloc_base_binding_policy", "none"},
      {"OMPI_MCA_btl", "vader,self"},
      // Jobs are named by the number of their mpirun's process: in two sandboxes these are the
      // same, and /dev/shm is one for both.
      {"OMPI_MCA_btl_vader_backing_directory", folder},
      {"OMPI_MCA_plm", "isolated"},
      {"OMPI_MCA_oob_tcp_if_include", "lo"},
      {"OMPI_MCA_orte_tmpdir_base", folder},
      {"PIPESCOPE_TEST_JOB", folder},
      {"TMPDIR", folder},
  };
  for (const auto& [name, value] : variables) setenv(name, value.c_str(), 1);
  unsetenv("BUILD_WORKING_DIRECTORY");
}

// The value of a variable of a process; empty where it has ended.
std::string VariableOf(pid_t process, const std::string& name) {
  std::istringstream all(Slurp("/proc/" + std::to_string(process) + "/environ"));
  for (std::string one; std::getline(all, one, '\0');) {
    if (one.starts_with(name + "=")) return one.substr(name.size() + 1);
  }
  return "";
}

// 0 where it has ended, or waits for its parent to notice.
pid_t ParentOf(pid_t process) {
  const std::string stat = Slurp("/proc/" + std::to_string(process) + "/stat");
  const size_t name_end = stat.rfind(')');
  if (name_end == stat.npos) return 0;
  std::istringstream rest(stat.substr(name_end + 1));
  char state = 'Z';
  pid_t parent = 0;
  rest >> state >> parent;
  return state == 'Z' ? 0 : parent;
}

}  // namespace

MpiRun::MpiRun(int processes, const std::vector<std::string>& command) {
  // Sockets' names may be 107 letters long: a short path.
  std::string name = "/tmp/job.XXXXXX";
  folder_ = mkdtemp(name.data());
  std::vector<std::string> words = {"mpirun", "-n", std::to_string(processes)};
  words.insert(words.end(), command.begin(), command.end());
  start_ = std::chrono::steady_clock::now();
  mpirun_ = fork();
  if (mpirun_ != 0) return;
  SetEnvironment(folder_);
  Redirect(STDOUT_FILENO, folder_ + "/out");
  Redirect(STDERR_FILENO, folder_ + "/err");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execvp("mpirun", argv.data());
  _exit(127);
}

MpiRun::~MpiRun() {
  if (mpirun_ != 0) Wait(std::chrono::seconds(0));
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Job MpiRun::Wait(std::chrono::seconds most) {
  Job job;
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + most;
  auto looked = std::chrono::steady_clock::now(), last_seen = looked;
  while (waitpid(mpirun_, &status, WNOHANG) == 0) {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked > kLook) {
      looked = now;
      if (!Processes().empty()) last_seen = now;
      job.mpirun_broke = now - last_seen > kAlone;
    }
    if (now > until || job.mpirun_broke) {
      for (const pid_t process : Processes()) kill(process, SIGKILL);
      kill(mpirun_, SIGKILL);
      waitpid(mpirun_, &status, 0);
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  mpirun_ = 0;
  if (WIFEXITED(status)) job.exit = WEXITSTATUS(status);
  job.out = Slurp(folder_ + "/out");
  job.err = Slurp(folder_ + "/err");
  const bool crashed = WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL;
  if (crashed && job.err.find("PMIx_server_finalize") != job.err.npos) job.mpirun_broke = true;
  job.took = std::chrono::steady_clock::now() - start_;
  return job;
}

std::vector<pid_t> MpiRun::Processes() const {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    const pid_t process = static_cast<pid_t>(std::stol(name));
    if (process == mpirun_ || VariableOf(process, "PIPESCOPE_TEST_JOB") != folder_) continue;
    if (ParentOf(process) != 0) found.push_back(process);
  }
  return found;
}

pid_t MpiRun::Worker(int rank) const {
  const auto all = Processes();
  std::vector<pid_t> parents;
  for (const pid_t process : all) parents.push_back(ParentOf(process));
  for (const pid_t process : all) {
    if (VariableOf(process, "OMPI_COMM_WORLD_RANK") != std::to_string(rank)) continue;
    if (std::find(parents.begin(), parents.end(), process) == parents.end()) return process;
  }
  return 0;
}

}  // namespace pipescope
