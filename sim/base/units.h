// Physical quantities as types: a Duration cannot be mistaken for Bytes, nor a bit for a byte.
//
//   Duration   int64 picoseconds      range +-106 days, so event times never lose precision
//   Bytes      int64 bytes
//   Flops      double, 2 per multiply-add
//   Bandwidth  double bytes per second
//   FlopRate   double floating-point operations per second
//
// There is no implicit conversion to or from a number. Division gives the quantity that physics
// gives; a transfer's duration is rounded up to the next picosecond:
//
//   Duration t = Bytes(58'720'256) / GigabytesPerSecond(50);   // 1.174405120 ms
//   double ms = t.milliseconds();
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace pipescope {

// The arithmetic that every quantity shares; `Self` is the quantity itself.
template <class Self, class Rep>
class Quantity {
 public:
  using rep = Rep;
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }

  friend constexpr bool operator==(Self a, Self b) { return a.value() == b.value(); }
  friend constexpr auto operator<=>(Self a, Self b) { return a.value() <=> b.value(); }
  friend constexpr Self operator+(Self a, Self b) { return Self(Sum(a.value(), b.value())); }
  friend constexpr Self operator-(Self a, Self b) { return Self(Sum(a.value(), -b.value())); }
  friend constexpr Self operator*(Self a, Rep k) { return Self(Product(a.value(), k)); }
  friend constexpr Self operator*(Rep k, Self a) { return Self(Product(a.value(), k)); }
  constexpr Self& operator+=(Self b) {
    value_ = Sum(value_, b.value());
    return static_cast<Self&>(*this);
  }
  constexpr Self& operator-=(Self b) {
    value_ = Sum(value_, -b.value());
    return static_cast<Self&>(*this);
  }

 private:
  // Whole numbers stop at their ends: what takes longer than the clock can count stays too long,
  // and never turns negative.
  static constexpr Rep Sum(Rep a, Rep b) {
    if constexpr (std::is_integral_v<Rep>) {
      Rep sum = 0;
      if (!__builtin_add_overflow(a, b, &sum)) return sum;
      return a > 0 ? std::numeric_limits<Rep>::max() : -std::numeric_limits<Rep>::max();
    } else {
      return a + b;
    }
  }

  static constexpr Rep Product(Rep a, Rep b) {
    if constexpr (std::is_integral_v<Rep>) {
      Rep product = 0;
      if (!__builtin_mul_overflow(a, b, &product)) return product;
      return (a > 0) == (b > 0) ? std::numeric_limits<Rep>::max()
                                : -std::numeric_limits<Rep>::max();
    } else {
      return a * b;
    }
  }

  Rep value_ = 0;
};

class Duration : public Quantity<Duration, int64_t> {
 public:
  using Quantity::Quantity;
  constexpr int64_t picoseconds() const { return value(); }
  // Divided, not multiplied by 1e-12, which no double is: 3'700'000 ps read back as 3.7e-6 s.
  constexpr double seconds() const { return static_cast<double>(value()) / 1e12; }
  constexpr double milliseconds() const { return static_cast<double>(value()) / 1e9; }
  constexpr double microseconds() const { return static_cast<double>(value()) / 1e6; }
  static constexpr Duration Max() { return Duration(std::numeric_limits<int64_t>::max()); }
};

class Bytes : public Quantity<Bytes, int64_t> {
 public:
  using Quantity::Quantity;
};
class Flops : public Quantity<Flops, double> {
 public:
  using Quantity::Quantity;
};
class Bandwidth : public Quantity<Bandwidth, double> {
 public:
  using Quantity::Quantity;
};
class FlopRate : public Quantity<FlopRate, double> {
 public:
  using Quantity::Quantity;
};

// Rounds up to a whole picosecond, except that what is whole but for the rounding of doubles stays:
// Microseconds(3.7) is 3'700'000 ps although 3.7e-6 * 1e12 is a little more. Saturates at
// +-Duration::Max() for what would not fit; 0 bytes over no bandwidth (NaN) is Max() too.
inline Duration Seconds(double s) {
  const double ps = s * 1e12;
  if (!(ps < 9.2e18)) return Duration::Max();
  if (ps <= -9.2e18) return Duration(-Duration::Max().picoseconds());
  const double nearest = std::nearbyint(ps);
  const double noise = std::abs(ps) * 4 * std::numeric_limits<double>::epsilon();
  return Duration(static_cast<int64_t>(std::abs(ps - nearest) <= noise ? nearest : std::ceil(ps)));
}
// To the nearest whole byte; saturates as Seconds does.
inline Bytes RoundBytes(double bytes) {
  constexpr double kMost = 9.2e18;
  if (!(bytes < kMost)) return Bytes(std::numeric_limits<int64_t>::max());
  if (bytes <= -kMost) return Bytes(-std::numeric_limits<int64_t>::max());
  return Bytes(std::llround(bytes));
}

inline Duration Milliseconds(double ms) { return Seconds(ms * 1e-3); }
inline Duration Microseconds(double us) { return Seconds(us * 1e-6); }

constexpr Bandwidth GigabytesPerSecond(double g) { return Bandwidth(g * 1e9); }
constexpr FlopRate Teraflops(double t) { return FlopRate(t * 1e12); }

inline double operator/(Bytes a, Bytes b) {
  return static_cast<double>(a.value()) / static_cast<double>(b.value());
}
inline double operator/(Duration a, Duration b) {
  return static_cast<double>(a.value()) / static_cast<double>(b.value());
}
inline Duration operator/(Bytes a, Bandwidth b) {
  return Seconds(static_cast<double>(a.value()) / b.value());
}
inline Duration operator/(Flops a, FlopRate b) { return Seconds(a.value() / b.value()); }
inline Bandwidth operator/(Bytes a, Duration t) {
  return Bandwidth(static_cast<double>(a.value()) / t.seconds());
}
inline FlopRate operator/(Flops a, Duration t) { return FlopRate(a.value() / t.seconds()); }

}  // namespace pipescope
