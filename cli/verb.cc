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

}  // namespace pipescope::cli
