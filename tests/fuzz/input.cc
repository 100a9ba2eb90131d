#include "tests/fuzz/input.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace pipescope::fuzz {
namespace {

int OpenMemory() {
  // An input may name /dev/stdin as a file to read: it is empty, and nobody waits for it.
  const int nothing = open("/dev/null", O_RDONLY);
  Expect(nothing >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO, "no /dev/null");
  close(nothing);
  const int fd = memfd_create("input", 0);
  Expect(fd >= 0, "no file in memory");
  return fd;
}

}  // namespace

void Expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

std::string AsText(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

std::string AsFile(const uint8_t* data, size_t size) {
  static const int fd = OpenMemory();
  Expect(ftruncate(fd, 0) == 0, "the file in memory cannot be emptied");
  Expect(pwrite(fd, data, size, 0) == static_cast<ssize_t>(size), "the file in memory is full");
  return "/proc/self/fd/" + std::to_string(fd);
}

}  // namespace pipescope::fuzz
