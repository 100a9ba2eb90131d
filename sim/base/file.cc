#include "sim/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace pipescope {
namespace {

Error SystemError(const std::string& path, const std::string& what) {
  return {what + ": " + std::strerror(errno), {path}};
}

// Writes all of `bytes`; a short write continues, an interrupted one is tried again.
bool WriteAll(int fd, const std::string& bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += static_cast<size_t>(n);
  }
  return true;
}

// Where a link leads; the path itself where it is no link or leads nowhere.
std::string ResolveLink(const std::string& path) {
  char* const resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string target = resolved;
  std::free(resolved);
  return target;
}

// A device or a pipe (such as /dev/stdout) has no neighbour to rename: it is written directly.
Status WriteDevice(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return Fail(SystemError(path, "cannot be opened for writing"));
  const bool ok = WriteAll(fd, bytes);
  const Error error = SystemError(path, "cannot be written");
  close(fd);
  if (!ok) return Fail(error);
  return {};
}

std::string TemporaryName(const std::string& target) {
  return target + ".tmp" + std::to_string(getpid());
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  if (path.empty()) return Fail("the name of a file is empty");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(SystemError(path, "cannot be opened"));
  struct stat info = {};
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    close(fd);
    return Fail(Error{"is a directory; expected a file", {path}});
  }
  std::string bytes;
  char block[1 << 16];
  while (true) {
    const ssize_t n = read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error = SystemError(path, "cannot be read");
      close(fd);
      return Fail(error);
    }
    if (n == 0) break;
    bytes.append(block, static_cast<size_t>(n));
    if (static_cast<int64_t>(bytes.size()) > max_bytes) {
      close(fd);
      return Fail(Error{"is larger than the " + std::to_string(max_bytes) +
                            " bytes allowed for "
                            "this kind of file",
                        {path}});
    }
  }
  close(fd);
  return bytes;
}

FileBatch::FileBatch() {
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&ending, signal);
  pthread_sigmask(SIG_BLOCK, &ending, &signals_);
}

FileBatch::~FileBatch() {
  for (const Staged& file : staged_) {
    if (!file.temporary.empty()) unlink(file.temporary.c_str());
    close(file.fd);
  }
  pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
}

Status FileBatch::Add(const std::string& path, const std::string& bytes) {
  struct stat info = {};
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) {
    return Fail(Error{"is a directory; expected a file", {path}});
  }
  if (exists && !S_ISREG(info.st_mode)) return WriteDevice(path, bytes);
  // A symbolic link stays one: the file it points to is what changes.
  const std::string target = ResolveLink(path);
  for (const Staged& file : staged_) {
    if (file.target == target) return Fail(Error{"is named for two outputs", {path}});
  }
  if (exists && access(target.c_str(), W_OK) != 0) {
    return Fail(SystemError(path, "cannot be written"));
  }
  Staged file = OpenNeighbour(target);
  if (file.fd < 0) return Fail(SystemError(path, "cannot be written"));
  file.path = path;
  staged_.push_back(file);
  const bool ok = WriteAll(file.fd, bytes) &&
                  (!exists || fchmod(file.fd, info.st_mode & 0777) == 0) && fsync(file.fd) == 0;
  if (!ok) return Fail(SystemError(path, "cannot be written"));
  return {};
}

// A file without a name goes by itself when its writer is killed; not every file system has them.
FileBatch::Staged FileBatch::OpenNeighbour(const std::string& target) {
  const size_t slash = target.rfind('/');
  const std::string folder = slash == target.npos ? "." : target.substr(0, slash + 1);
  Staged file = {{}, target, {}, open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)};
  if (file.fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return file;
  const std::string temporary = TemporaryName(target);
  file.fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file.fd >= 0) file.temporary = temporary;
  return file;
}

Status FileBatch::Commit() {
  // Names first: where a folder has no room for them, no file is replaced.
  for (Staged& file : staged_) {
    if (!file.temporary.empty()) continue;
    const std::string temporary = TemporaryName(file.target);
    const std::string nameless = "/proc/self/fd/" + std::to_string(file.fd);
    if (linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      return Fail(SystemError(file.path, "cannot be written"));
    }
    file.temporary = temporary;
  }
  while (!staged_.empty()) {
    const Staged& file = staged_.front();
    if (rename(file.temporary.c_str(), file.target.c_str()) != 0) {
      return Fail(SystemError(file.path, "cannot be replaced"));
    }
    close(file.fd);
    staged_.erase(staged_.begin());
  }
  return {};
}

Status WriteFileAtomically(const std::string& path, const std::string& bytes) {
  FileBatch one;
  if (auto added = one.Add(path, bytes); !added) return added;
  return one.Commit();
}

}  // namespace pipescope
