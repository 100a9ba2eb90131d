#include "cli/verb.h"

#include <cstdio>

#include "sim/base/file.h"

namespace pipescope::cli {

int Complain(const Error& error) {
  std::fprintf(stderr, "pipescope: error: %s\n", error.ToString().c_str());
  return kBadInput;
}

int Emit(const std::string& path, const std::string& text) {
  if (!path.empty()) {
    auto written = WriteFileAtomically(path, text);
    return written ? kOk : Complain(written.error());
  }
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return kOk;
  return Complain({"standard output cannot be written"});
}

std::string CommandLine(int argc, char** argv) {
  std::string line = "pipescope";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_-./,=:+@%") == std::string::npos;
    if (plain) {
      line += " " + word;
      continue;
    }
    line += " '";
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  return line;
}

}  // namespace pipescope::cli
