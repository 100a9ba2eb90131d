#include "sim/trace/input.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace pipescope::trace {

Input::Input(const std::string& path, const InputLimits& limits)
    : path_(path), limits_(limits), block_(size_t{1} << 16) {
  struct stat info = {};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    error_ = Error{"is a directory; expected a trace", {path}};
    return;
  }
  file_.reset(gzopen(path.c_str(), "rbe"));
  if (!file_) error_ = Error{std::string("cannot be opened: ") + std::strerror(errno), {path}};
}

Location Input::Here() const {
  int64_t line = lines_before_ + 1;
  int64_t last = last_break_;
  const char* const end = std::max(eback(), gptr() - 1);  // gptr is one past the last read
  for (const char* at = eback(); at < end; ++at) {
    if (*at != '\n') continue;
    ++line;
    last = before_ + (at - eback());
  }
  const int64_t column = before_ + (end - eback()) - last;
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  return {path_, static_cast<int>(std::min(line, kMost)),
          static_cast<int>(std::min(column, kMost))};
}

Input::int_type Input::End(std::string why) {
  error_ = Error{std::move(why), Here()};
  return traits_type::eof();
}

Input::int_type Input::underflow() {
  if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
  if (error_ || !file_) return traits_type::eof();
  if (Offset() - accepted_ > limits_.token_bytes) {
    return End("holds a string or number of more than " + std::to_string(limits_.token_bytes) +
               " bytes");
  }
  if (Offset() > limits_.bytes) {
    return End("holds more than " + std::to_string(limits_.bytes) + " bytes when inflated");
  }
  // Text packs to a tenth or, where it repeats itself, a hundredth; what was made to fill a disk or
  // to take an hour packs to deflate's least, a thousandth.
  const int64_t packed = gzoffset(file_.get());
  if (Offset() > limits_.unpacked_bytes && Offset() / limits_.packing > packed) {
    return End("is gzip of " + std::to_string(packed) + " bytes that inflate to more than " +
               std::to_string(limits_.packing) + " times as many; no trace is packed so tightly");
  }
  lines_before_ += std::count(eback(), egptr(), '\n');
  for (const char* at = egptr(); at > eback(); --at) {
    if (at[-1] != '\n') continue;
    last_break_ = before_ + (at - 1 - eback());
    break;
  }
  before_ = Offset();
  const int n = gzread(file_.get(), block_.data(), static_cast<unsigned>(block_.size()));
  setg(block_.data(), block_.data(), block_.data() + std::max(n, 0));
  if (n > 0) return traits_type::to_int_type(*gptr());
  int code = Z_OK;
  const char* const text = gzerror(file_.get(), &code);
  if (code == Z_ERRNO) return End(std::string("cannot be read: ") + std::strerror(errno));
  if (code == Z_BUF_ERROR) return End("its gzip data is cut off");
  if (n < 0 || code != Z_OK) return End(std::string("its gzip data is broken: ") + text);
  ended_ = true;
  return traits_type::eof();
}

}  // namespace pipescope::trace
