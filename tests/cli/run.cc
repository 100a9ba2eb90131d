#include "tests/cli/run.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pipescope::cli {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Redirect(int fd, const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0 || dup2(file, fd) < 0) _exit(126);
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  if (from.empty()) return text;
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << "nothing to spoil: " << from;
  return at == text.npos ? text : text.replace(at, from.size(), to);
}

}  // namespace

CliTest::CliTest() : start_(fs::current_path()) {
  std::string name = testing::TempDir() + "/cli.XXXXXX";
  folder = mkdtemp(name.data());
}

CliTest::~CliTest() {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

Ran CliTest::Run(const std::vector<std::string>& arguments, const std::string& out) {
  const std::string stdout_file = out.empty() ? folder + ".out" : out;
  const std::string stderr_file = folder + ".err";
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(folder.c_str()) != 0) _exit(126);
    Redirect(STDOUT_FILENO, stdout_file);
    Redirect(STDERR_FILENO, stderr_file);
    unsetenv("BUILD_WORKING_DIRECTORY");
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    for (const auto& [what, most] : limits) {
      const rlimit limit = {most, most};
      if (setrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) _exit(125);
    }
    const std::string binary = start_ + "/cli/pipescope";
    std::vector<char*> argv = {const_cast<char*>(binary.c_str())};
    for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    execv(binary.c_str(), argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  Ran ran;
  if (WIFEXITED(status)) ran.exit = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ran.signal = WTERMSIG(status);
  if (out.empty()) ran.out = Slurp(stdout_file);
  ran.err = Slurp(stderr_file);
  return ran;
}

void CliTest::ExpectRefused(const std::vector<std::string>& arguments,
                            const std::vector<std::string>& parts) {
  const std::vector<std::string> before = Made();
  const Ran ran = Run(arguments);
  EXPECT_EQ(ran.exit, 2) << ran.err << ran.out;
  EXPECT_EQ(ran.out, "");
  EXPECT_TRUE(ran.err.starts_with("pipescope: error: ")) << ran.err;
  EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
  for (const std::string& part : parts) {
    EXPECT_NE(ran.err.find(part), std::string::npos) << "no '" << part << "' in: " << ran.err;
  }
  EXPECT_EQ(Made(), before);
}

std::string CliTest::Write(const std::string& path, const std::string& text) {
  const fs::path whole = fs::path(folder) / path;
  fs::create_directories(whole.parent_path());
  std::ofstream(whole, std::ios::binary) << text;
  written_.push_back(path);
  return path;
}

std::string CliTest::Read(const std::string& path) const { return Slurp(folder + "/" + path); }

std::vector<std::string> CliTest::Made() const {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_directory()) continue;
    const std::string path = fs::relative(entry.path(), folder);
    if (std::find(written_.begin(), written_.end(), path) == written_.end()) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string SmallExperiment(const std::string& from, const std::string& to) {
  return Replaced(R"(name: small
model: deepseek_v3
topology: small_topology.yaml
schedule: 1f1b
parallel:
  pipeline: 4
  data: 4
  expert: 4
training:
  sequence_length: 4096
  global_batch: 64
  precision: fp8
memory:
  enforce: false
)",
                  from, to);
}

std::string SmallTopology(const std::string& from, const std::string& to) {
  return Replaced(R"(name: small
nodes: 4
gpu:
  name: H800
  sms: 132
  bf16: 989.4 TFLOPS
  fp8: 1978.9 TFLOPS
  fp32: 66.9 TFLOPS
  memory: 81559 MiB
  memory_bandwidth: 3.35 TB/s
node:
  gpus: 4
  nvlink: 160 GB/s
  nvlink_latency: 3.33 us
  nics: 4
  nic: 400 Gbps
  pcie: 64 GB/s
fabric:
  kind: fat-tree
  levels: 2
  switch_ports: 64
  link_latency: 150 ns
  switch_latency: 300 ns
  nic_latency: 1.1 us
)",
                  from, to);
}

}  // namespace pipescope::cli
