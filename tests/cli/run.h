// Runs the real binary as a user's shell does, in a folder of its own.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <map>
#include <string>
#include <vector>

namespace pipescope::cli {

struct Ran {
  int exit = -1;   // -1 where a signal ended it
  int signal = 0;  // that signal
  std::string out;
  std::string err;
};

class CliTest : public testing::Test {
 protected:
  CliTest();
  ~CliTest() override;

  // `out` names where stdout leads, in place of Ran::out.
  Ran Run(const std::vector<std::string>& arguments, const std::string& out = "");

  // Exit 2, nothing on stdout, no file made, and one line on stderr: "pipescope: error: " and then
  // text that holds each of `parts`.
  void ExpectRefused(const std::vector<std::string>& arguments,
                     const std::vector<std::string>& parts);

  // A file in the folder; makes folders on the way. Returns its path from the folder.
  std::string Write(const std::string& path, const std::string& text);
  std::string Read(const std::string& path) const;

  // All files in the folder, sorted, apart from those that Write made.
  std::vector<std::string> Made() const;

  // A shipped file by its path in the repository.
  std::string Shipped(const std::string& path) const { return start_ + "/" + path; }
  std::string V3() const { return Shipped("experiments/deepseek_v3_h800.yaml"); }

  std::map<std::string, std::string> environment;
  std::map<int, rlim_t> limits;  // setrlimit's, of the binary
  std::string folder;            // where the binary stands

 private:
  std::string start_;  // the runfiles' root, where the test starts
  std::vector<std::string> written_;
};

// A 4-rank experiment on 16 GPUs and its small topology, to be spoiled: the first place where
// `from` stands becomes `to`.
std::string SmallExperiment(const std::string& from = "", const std::string& to = "");
std::string SmallTopology(const std::string& from = "", const std::string& to = "");

}  // namespace pipescope::cli
