#include "kernels/bench/op.h"

#include <fmt/format.h>

namespace pipescope::kernels::bench {

const char* NameOf(Device device) { return device == Device::kCpu ? "cpu" : "cuda"; }

int64_t At(const Shape& shape, const std::string& name) {
  for (const auto& [key, value] : shape) {
    if (key == name) return value;
  }
  PIPESCOPE_CHECK(!"a shape has all numbers of its operation");
  return 0;
}

std::string TextOf(const Shape& shape) {
  std::string text;
  for (const auto& [key, value] : shape) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  }
  return text;
}

}  // namespace pipescope::kernels::bench
