#include "sim/sweep/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "sim/result/sweep_point.h"

namespace pipescope::sweep {
namespace {

constexpr size_t kMostLine = 1 << 20;  // bytes; ours have about 600

// The length of what ends with a line break.
Result<off_t> WholeLength(int file, off_t size) {
  char buffer[4096];
  while (size > 0) {
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(sizeof(buffer)));
    const ssize_t got = pread(file, buffer, static_cast<size_t>(size - from), from);
    if (got <= 0) return Fail(std::strerror(errno));
    for (ssize_t i = got; i > 0; --i) {
      if (buffer[i - 1] == '\n') return from + i;
    }
    size = from;
  }
  return 0;
}

}  // namespace

std::string PartPath(const std::string& file, const Worker& worker) {
  return worker.size == 1 ? file : fmt::format("{}.part-{}-of-{}", file, worker.rank, worker.size);
}

std::vector<std::string> PartsOf(const std::string& file) {
  const std::filesystem::path path(file);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string start = path.filename().string() + ".part-";
  std::vector<std::string> parts;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(start)) parts.push_back((path.parent_path() / name).string());
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

Status ReadLines(const std::string& path, const std::string& identity, int64_t points,
                 Foreign foreign, Lines& lines) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  if (!std::filesystem::is_regular_file(path, error)) {
    return Fail(Error{"expected a file of a sweep's points", {path}});
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return Fail(Error{std::string("cannot be read: ") + std::strerror(errno), {path}});
  std::string line;
  // The last line counts only where a line break follows.
  for (int number = 1; std::getline(in, line) && !in.eof(); ++number) {
    if (line.size() > kMostLine) return Fail(Error{"the line is too long", {path, number}});
    auto stored = ReadSweepLine(line);
    if (!stored) {
      if (foreign == Foreign::kSkip) continue;
      return Fail(Error{stored.error().message, {path, number}});
    }
    if (stored->sweep != identity || stored->point.index >= points) {
      if (foreign == Foreign::kSkip) continue;
      return Fail(Error{fmt::format("belongs to another sweep ({}; this one is {}): its "
                                    "experiment, a file that it names, its axes, the fidelity or "
                                    "the version differ",
                                    stored->sweep, identity),
                        {path, number},
                        "sweep"});
    }
    lines.emplace(stored->point.index, line);
  }
  return {};
}

Journal::~Journal() {
  if (file_ >= 0) close(file_);
}

Status Journal::Broken(const std::string& what) const {
  return Fail(Error{fmt::format("cannot be {}: {}", what, std::strerror(errno)), {path_}});
}

Status Journal::Open(const std::string& path, bool keep) {
  path_ = path;
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) return Broken("opened");
  struct stat found = {};
  if (fstat(file_, &found) != 0) return Broken("looked at");
  if (!S_ISREG(found.st_mode)) return Fail(Error{"expected a regular file", {path}});
  if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Error{"another process is writing its points there", {path}});
  }
  const auto whole = keep ? WholeLength(file_, found.st_size) : Result<off_t>(0);
  if (!whole) return Broken("read");
  if (*whole != found.st_size && ftruncate(file_, *whole) != 0) return Broken("cut");
  return {};
}

Status Journal::Append(const std::string& line) {
  const std::string text = line + "\n";
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(file_, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Broken("written");
    done += static_cast<size_t>(wrote);
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - synced_ < std::chrono::seconds(1)) return {};
  synced_ = now;
  if (fdatasync(file_) != 0) return Broken("synced");
  return {};
}

Status Journal::Close() {
  if (file_ < 0) return {};
  if (fdatasync(file_) != 0) return Broken("synced");
  if (close(file_) != 0) {
    file_ = -1;
    return Broken("closed");
  }
  file_ = -1;
  return {};
}

}  // namespace pipescope::sweep
