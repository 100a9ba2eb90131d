#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace pipescope::cli {
namespace {

using Clock = std::chrono::steady_clock;

bool OnTerminal() {
  const char* plain = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) != 0 && (plain == nullptr || *plain == '\0');
}

}  // namespace

std::string TimeLeft(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string ProgressBar(const std::string& unit, int64_t done, int64_t total, double seconds) {
  constexpr int64_t kWidth = 30;
  const int64_t full = total > 0 ? kWidth * done / total : kWidth;
  std::string bar =
      fmt::format("[{}{}] {}/{} {}", std::string(static_cast<size_t>(full), '#'),
                  std::string(static_cast<size_t>(kWidth - full), '.'), done, total, unit);
  if (done > 0 && done < total && seconds > 0) {
    const double left = seconds / static_cast<double>(done) * static_cast<double>(total - done);
    bar += ", " + TimeLeft(left) + " left";
  }
  return bar;
}

Progress::Progress(std::string unit, int64_t total, Parts parts)
    : unit_(std::move(unit)),
      total_(total),
      parts_(parts),
      shown_(OnTerminal()),
      start_(Clock::now()) {}

Progress::~Progress() {
  if (shown_ && done_ > 0) std::fputs("\r\x1b[K", stderr);
}

void Progress::Reach(int64_t done) {
  done_ = done;
  if (!shown_) return;
  const auto now = Clock::now();
  if (done_ < total_ && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const double seconds =
      parts_ == Parts::kAlike ? std::chrono::duration<double>(now - start_).count() : 0;
  std::fprintf(stderr, "\r\x1b[K%s", ProgressBar(unit_, done_, total_, seconds).c_str());
  std::fflush(stderr);
}

}  // namespace pipescope::cli
