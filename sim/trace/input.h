// A file as a stream of characters, inflated on the way where it is gzip, in one block of memory.
//
// It ends early, and says why, at a file that cannot be read, at gzip that is broken or cut off,
// and at its limits: bytes in all, how tightly gzip may have packed them, and bytes between two
// calls of Accept (the reader calls it at each token, so that one endless string does not fill the
// memory).
#pragma once

#include <zlib.h>

#include <memory>
#include <optional>
#include <streambuf>
#include <string>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::trace {

struct InputLimits {
  int64_t bytes = int64_t{8} << 30;            // inflated
  int64_t token_bytes = int64_t{1} << 20;      // one string or number, to a block's precision
  int64_t unpacked_bytes = int64_t{64} << 20;  // inflated, that may be packed as tightly as can be
  int64_t packing = 500;                       // at most, inflated over packed, beyond that
};

class Input : public std::streambuf {
 public:
  Input(const std::string& path, const InputLimits& limits);

  // The reader has understood all up to here.
  void Accept() { accepted_ = Offset(); }
  // Why the stream ended, where it was not the file's end.
  const std::optional<Error>& error() const { return error_; }
  // Whether the reader has asked for more than there is.
  bool ended() const { return ended_; }
  // Of the character read last.
  Location Here() const;

 protected:
  int_type underflow() override;

 private:
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };
  int64_t Offset() const { return before_ + (gptr() - eback()); }
  int_type End(std::string why);

  std::string path_;
  InputLimits limits_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::vector<char> block_;
  int64_t before_ = 0;        // bytes before the block
  int64_t accepted_ = 0;      // offset
  int64_t lines_before_ = 0;  // line breaks before the block
  int64_t last_break_ = -1;   // offset of the last of them
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace pipescope::trace
