// What the verbs share. Each verb lives in its own file and offers one function,
//   void AddScheduleVerb(CLI::App& app, int& exit_code);
// which registers its options and a callback that does the work and sets the exit code:
// 0 well, 1 a check or a comparison failed, 2 bad usage or bad input.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::cli {

inline constexpr int kOk = 0;
inline constexpr int kCheckFailed = 1;
inline constexpr int kBadInput = 2;

// Prints "pipescope: error: ..." on stderr, always one line; returns kBadInput.
int Complain(const Error& error);

// Complains of a command line that CLI11 refused, with the nearest verb or option.
int ComplainOfUsage(const CLI::App& app, const CLI::ParseError& error);

// Writes to the file, or to stdout where `path` is empty or "-"; returns kOk, or complains.
int Emit(const std::string& path, const std::string& text);

// A file to be written, or nothing where `path` is empty.
struct OutputFile {
  std::string path;
  std::string bytes;
};

// Writes the files and then the text as Emit does; all or nothing of it. Names the files on stderr.
int EmitAll(const std::vector<OutputFile>& files, const std::string& path, const std::string& text);

// Before work that takes long: whether EmitAll could write to these now (empty: not asked for).
Status CheckOutputs(const std::vector<std::string>& files, const std::string& path);

// The command as a person would type it again: "pipescope compare ...", quoted for a shell.
std::string CommandLine(int argc, char** argv);

}  // namespace pipescope::cli
