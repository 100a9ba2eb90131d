// Stands in for tl::expected on a machine that does not have it: the part of it that kernels use.
// The kernels' own binary alone is built with it; see build.sh.
#pragma once

#include <cstdlib>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace tl {

template <class E>
class unexpected {
 public:
  explicit unexpected(E error) : error_(std::move(error)) {}
  const E& value() const& { return error_; }
  E&& value() && { return std::move(error_); }

 private:
  E error_;
};

template <class T, class E>
class expected {
 public:
  expected() = default;
  template <class U = T>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::decay_t<U>, expected>)
      expected(U&& value)
      : held_(std::in_place_index<0>, std::forward<U>(value)) {}
  expected(unexpected<E> error) : held_(std::in_place_index<1>, std::move(error).value()) {}

  explicit operator bool() const { return held_.index() == 0; }
  bool has_value() const { return held_.index() == 0; }
  const E& error() const { return Held<1>(held_); }
  T& operator*() & { return Held<0>(held_); }
  const T& operator*() const& { return Held<0>(held_); }
  T&& operator*() && { return std::move(Held<0>(held_)); }
  T* operator->() { return &Held<0>(held_); }
  const T* operator->() const { return &Held<0>(held_); }
  T& value() & { return Held<0>(held_); }
  T&& value() && { return std::move(Held<0>(held_)); }

 private:
  template <size_t i, class V>
  static auto& Held(V& held) {
    if (held.index() != i) std::abort();
    return *std::get_if<i>(&held);
  }
  std::variant<T, E> held_;
};

template <class E>
class expected<void, E> {
 public:
  expected() = default;
  expected(unexpected<E> error) : error_(std::move(error).value()) {}
  explicit operator bool() const { return !error_; }
  bool has_value() const { return !error_; }
  const E& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<E> error_;
};

}  // namespace tl
