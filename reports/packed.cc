#include "reports/packed.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "sim/base/result.h"

namespace pipescope::reports {
namespace {

using Json = nlohmann::ordered_json;

// Beyond it a difference of two could leave the numbers that JavaScript counts exactly.
constexpr int64_t kMostExact = int64_t{1} << 52;

// Empty where it is no list of whole numbers that a page counts exactly.
std::vector<int64_t> WholeNumbers(const Json& list) {
  std::vector<int64_t> numbers;
  numbers.reserve(list.size());
  for (const Json& x : list) {
    if (!x.is_number_integer() || (x.is_number_unsigned() && x.get<uint64_t>() >> 52 != 0))
      return {};
    const auto value = x.get<int64_t>();
    if (value > kMostExact || value < -kMostExact) return {};
    numbers.push_back(value);
  }
  return numbers;
}

size_t PrintedLength(const std::vector<int64_t>& numbers) {
  size_t length = 0;
  for (const int64_t x : numbers) {
    length += x < 0 ? 3 : 2;  // a digit, a comma and perhaps a sign
    for (int64_t rest = x / 10; rest != 0; rest /= 10) ++length;
  }
  return length;
}

std::vector<int64_t> Differences(const std::vector<int64_t>& numbers, size_t apart) {
  std::vector<int64_t> d = numbers;
  for (size_t i = apart; i < d.size(); ++i) d[i] = numbers[i] - numbers[i - apart];
  return d;
}

Json PackedList(const Json& list);

Json WithColumnsPacked(const Json& value) {
  if (value.is_array()) return PackedList(value);
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, member] : value.items()) object[key] = WithColumnsPacked(member);
  return object;
}

Json PackedList(const Json& list) {
  constexpr size_t kFewest = 8;       // shorter lists are not worth it
  constexpr size_t kAroundList = 12;  // {"n":1,"d":}
  const std::vector<int64_t> numbers =
      list.size() < kFewest ? std::vector<int64_t>() : WholeNumbers(list);
  if (numbers.empty()) {
    Json members = Json::array();
    for (const Json& member : list) members.push_back(WithColumnsPacked(member));
    return members;
  }
  size_t shortest = PrintedLength(numbers);
  Json best = list;
  for (const size_t apart : {size_t{1}, size_t{4}}) {
    std::vector<int64_t> d = Differences(numbers, apart);
    const size_t length = PrintedLength(d) + kAroundList;
    if (length >= shortest) continue;
    shortest = length;
    best = {{"n", apart}, {"d", std::move(d)}};
  }
  return best;
}

std::string Deflated(const std::string& text) {
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::string out(size, '\0');
  const int done =
      compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(text.data()), static_cast<uLong>(text.size()), 6);
  PIPESCOPE_CHECK(done == Z_OK);
  out.resize(size);
  return out;
}

std::string Base64(const std::string& bytes) {
  constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    for (size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kLetters[three >> (18 - 6 * k) & 63];
    }
  }
  return out;
}

}  // namespace

std::string Packed(const Json& value) {
  const Json packed = WithColumnsPacked(value);
  return Base64(Deflated(packed.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

}  // namespace pipescope::reports
