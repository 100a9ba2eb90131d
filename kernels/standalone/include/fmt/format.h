// Stands in for {fmt} on a machine that does not have it: {} and {:<8}, {:>8}, {:.3f}, {:.3g},
// {:.3e} of numbers and text, {{ and }}; join of values that are not empty. The kernels' own binary
// alone is built with it.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fmt {
namespace stand_in {

struct Spec {
  char side = 0;
  int width = 0;
  int precision = -1;
  char type = 0;
};

inline Spec Parse(std::string_view text) {
  Spec spec;
  size_t at = 0;
  const auto number = [&] {
    int value = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      value = 10 * value + (text[at++] - '0');
    }
    return value;
  };
  if (at < text.size() && (text[at] == '<' || text[at] == '>')) spec.side = text[at++];
  spec.width = number();
  if (at < text.size() && text[at] == '.') {
    ++at;
    spec.precision = number();
  }
  if (at < text.size()) spec.type = text[at++];
  if (at != text.size()) std::abort();  // a form that is not known here
  return spec;
}

// The shortest text that reads back as the same number; with an exponent below 1e-4 and from 1e16
// on.
inline std::string Shortest(double value) {
  char text[400];
  const auto written = [&](std::chars_format form) {
    return std::string(text, std::to_chars(text, text + sizeof(text), value, form).ptr);
  };
  const std::string scientific = written(std::chars_format::scientific);
  const size_t mark = scientific.find('e');
  if (mark == std::string::npos) return scientific;  // not a number, or infinite
  const int exponent = std::atoi(scientific.c_str() + mark + 1);
  return exponent < -4 || exponent >= 16 ? scientific : written(std::chars_format::fixed);
}

inline std::string Number(double value, const Spec& spec) {
  if (spec.type == 0 && spec.precision < 0) return Shortest(value);
  const char form[] = {'%', '.', '*', spec.type == 0 ? 'g' : spec.type, 0};
  char text[400];
  std::snprintf(text, sizeof(text), form, spec.precision, value);
  return text;
}

template <class T>
std::string Plain(const T& value, const Spec& spec) {
  if constexpr (std::is_same_v<T, char>) {
    return std::string(1, value);
  } else if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return Number(static_cast<double>(value), spec);
  } else {
    return std::string(std::string_view(value));
  }
}

template <class T>
std::string Padded(const T& value, const Spec& spec) {
  std::string text = Plain(value, spec);
  const size_t width = static_cast<size_t>(spec.width);
  if (text.size() >= width) return text;
  const std::string space(width - text.size(), ' ');
  const bool right = spec.side == '>' || (spec.side == 0 && std::is_arithmetic_v<T>);
  return right ? space + text : text + space;
}

}  // namespace stand_in

template <class... Values>
std::string format(std::string_view form, const Values&... values) {
  std::string out;
  size_t used = 0;
  for (size_t at = 0; at < form.size(); ++at) {
    const bool twice = at + 1 < form.size() && form[at + 1] == form[at];
    if ((form[at] == '{' || form[at] == '}') && twice) {
      out += form[at++];
    } else if (form[at] == '{') {
      const size_t end = form.find('}', at);
      std::string_view inner = form.substr(at + 1, end - at - 1);
      if (!inner.empty() && inner.front() == ':') inner.remove_prefix(1);
      const stand_in::Spec spec = stand_in::Parse(inner);
      size_t i = 0;
      ((i++ == used ? void(out += stand_in::Padded(values, spec)) : void()), ...);
      ++used;
      at = end;
    } else {
      out += form[at];
    }
  }
  return out;
}

template <class Out, class... Values>
Out format_to(Out out, std::string_view form, const Values&... values) {
  for (const char c : format(form, values...)) *out++ = c;
  return out;
}

template <class Range>
std::string join(const Range& values, std::string_view between) {
  std::string all;
  for (const auto& value : values) {
    all += (all.empty() ? std::string() : std::string(between)) + format("{}", value);
  }
  return all;
}

}  // namespace fmt
