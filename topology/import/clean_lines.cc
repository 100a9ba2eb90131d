#include "topology/import/sources.h"

namespace pipescope::topology {

// Escape codes are ESC [ parameters letter, and now and then the ESC itself was lost to an editor
// that shows it as ^[ or \x1b.
std::vector<std::string> CleanLines(const std::string& text) {
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      lines.emplace_back();
      continue;
    }
    size_t after = 0;
    if (c == '\x1b' && i + 1 < text.size() && text[i + 1] == '[') after = i + 2;
    if (text.compare(i, 3, "^[[") == 0) after = i + 3;
    if (text.compare(i, 5, "\\x1b[") == 0) after = i + 5;
    if (after > 0) {
      while (after < text.size() &&
             ((text[after] >= '0' && text[after] <= '9') || text[after] == ';')) {
        ++after;
      }
      if (after < text.size() && text[after] != '\n') i = after;
      continue;
    }
    if (c != '\r' && c != '\x1b' && c != '\0') lines.back() += c;
  }
  return lines;
}

}  // namespace pipescope::topology
