// Records as bytes, between processes of the same program: values one after the other, lists with
// their length before them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::executor {

// As they are sent.
inline std::vector<char> Letters(const std::string& text) { return {text.begin(), text.end()}; }
inline std::string Words(const std::vector<char>& letters) {
  return {letters.begin(), letters.end()};
}

class Packer {
 public:
  template <class T>
  void Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <class T>
  void PutList(const std::vector<T>& values) {
    Put(static_cast<uint64_t>(values.size()));
    for (const T& value : values) Put(value);
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Of what a Packer made: anything else is a broken invariant.
class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}

  template <class T>
  T Get() {
    static_assert(std::is_trivially_copyable_v<T>);
    PIPESCOPE_CHECK(bytes_.size() - at_ >= sizeof(T));
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  template <class T>
  std::vector<T> GetList() {
    std::vector<T> values(Count(sizeof(T)));
    for (T& value : values) value = Get<T>();
    return values;
  }
  // Of a list whose values take at least that many bytes each.
  size_t Count(size_t least) {
    const auto count = static_cast<size_t>(Get<uint64_t>());
    PIPESCOPE_CHECK(count <= (bytes_.size() - at_) / least);
    return count;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

}  // namespace pipescope::executor
