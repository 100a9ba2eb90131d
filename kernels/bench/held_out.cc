#include "kernels/bench/held_out.h"

#include <algorithm>
#include <cmath>

#include "kernels/bench/check.h"
#include "kernels/bench/report.h"

namespace pipescope::kernels::bench {
namespace {

// By the size's place among its operation's.
constexpr int64_t kSmaller[] = {4, 3, 5};
constexpr double kBeyondLeast = 1.2, kBeyondMost = 1.6;
constexpr int kTries = 64;

void Set(Shape& shape, const Size& size, int64_t value) {
  for (auto& [name, number] : shape) {
    if (name == size.name || name == size.also) number = value;
  }
}

int64_t Stepped(double value, const Size& size) {
  const double steps = std::round(value / static_cast<double>(size.step));
  return std::max<int64_t>(1, static_cast<int64_t>(steps)) * size.step;
}

// Whether one of the shapes is told in a profile as this one is: bytes of other rows may be as
// many.
bool Holds(const Op& op, const std::vector<Shape>& shapes, const Shape& shape) {
  const auto key = OperationOf(op, shape, 0).Key();
  return std::any_of(shapes.begin(), shapes.end(),
                     [&](const Shape& other) { return OperationOf(op, other, 0).Key() == key; });
}

// Equal but for the sizes.
bool SameGroup(const Op& op, Shape a, Shape b) {
  for (const Size& size : op.sizes) {
    Set(a, size, 0);
    Set(b, size, 0);
  }
  return a == b;
}

std::vector<Shape> GroupOf(const Op& op, const std::vector<Shape>& shapes, const Shape& of) {
  std::vector<Shape> group;
  for (const Shape& shape : shapes) {
    if (SameGroup(op, shape, of)) group.push_back(shape);
  }
  return group;
}

std::vector<Shape> FirstOfGroups(const Op& op) {
  std::vector<Shape> first;
  for (const Shape& shape : op.shapes) {
    if (GroupOf(op, first, shape).empty()) first.push_back(shape);
  }
  return first;
}

// The shapes that are held out of one group.
class Holder {
 public:
  Holder(const Op& op, const Shape& first, uint64_t seed, std::vector<HeldOut>& held)
      : op_(op),
        own_(GroupOf(op, op.shapes, first)),
        range_(GroupOf(op, CalibratedShapes(op), first)),
        taken_(CalibratedShapes(op)),
        draw_(seed),
        held_(held) {}

  void Hold() {
    for (const Size& size : op_.sizes) {
      Try("between " + size.name, [&](Shape& shape) { DrawBetween(shape, size); });
    }
    if (op_.sizes.size() > 1) {
      Try("between all", [&](Shape& shape) {
        for (const Size& size : op_.sizes) DrawBetween(shape, size);
      });
    }
    const size_t at = static_cast<size_t>(draw_.Below(static_cast<int64_t>(op_.sizes.size())));
    const Size& size = op_.sizes[at];
    Try("beyond " + size.name, [&](Shape& shape) {
      const double times = kBeyondLeast + (kBeyondMost - kBeyondLeast) * Share();
      Set(shape, size, Stepped(times * static_cast<double>(Range(size).second), size));
    });
  }

 private:
  double Share() { return 0.5 + 0.5 * static_cast<double>(draw_.Uniform()); }

  std::pair<int64_t, int64_t> Range(const Size& size) const {
    int64_t least = INT64_MAX, most = 0;
    for (const Shape& shape : range_) {
      least = std::min(least, At(shape, size.name));
      most = std::max(most, At(shape, size.name));
    }
    return {least, most};
  }

  void DrawBetween(Shape& shape, const Size& size) {
    const auto [least, most] = Range(size);
    const double low = std::log(static_cast<double>(least));
    const double high = std::log(static_cast<double>(most));
    const int64_t value = Stepped(std::exp(low + (high - low) * Share()), size);
    if (value > least && value < most) Set(shape, size, value);
  }

  // Draws until the shape is a new one; gives up where there is none.
  template <class Change>
  void Try(const std::string& how, const Change& change) {
    for (int i = 0; i < kTries; ++i) {
      Shape shape = own_[static_cast<size_t>(draw_.Below(static_cast<int64_t>(own_.size())))];
      change(shape);
      if (Holds(op_, taken_, shape)) continue;
      taken_.push_back(shape);
      held_.push_back({shape, how});
      return;
    }
  }

  const Op& op_;
  const std::vector<Shape> own_, range_;
  std::vector<Shape> taken_;  // calibrated, or held out already
  Draw draw_;
  std::vector<HeldOut>& held_;
};

// FNV-1a: the same shapes whichever other kernels are asked for.
uint64_t SeedOf(const std::string& name, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

std::vector<Shape> CalibratedShapes(const Op& op) {
  std::vector<Shape> shapes = op.shapes;
  for (const Shape& first : FirstOfGroups(op)) {
    for (size_t i = 0; i < op.sizes.size(); ++i) {
      const Size& size = op.sizes[i];
      const int64_t smaller = At(first, size.name) / kSmaller[std::min<size_t>(i, 2)];
      Shape shape = first;
      Set(shape, size, std::max<int64_t>(1, smaller / size.step) * size.step);
      if (!Holds(op, shapes, shape)) shapes.push_back(shape);
    }
  }
  return shapes;
}

std::vector<HeldOut> HeldOutShapes(const Op& op, uint64_t seed) {
  std::vector<HeldOut> held;
  if (op.sizes.empty()) return held;
  for (const Shape& first : FirstOfGroups(op)) {
    Holder(op, first, SeedOf(op.name, seed), held).Hold();
  }
  return held;
}

std::vector<int> CalibratedSms() { return {0, 2, 4, 8, 12, 16, 20, 24, 28, 32}; }

std::vector<int> HeldOutSms(uint64_t seed) {
  const std::vector<int> calibrated = CalibratedSms();
  std::vector<int> held;
  Draw draw(seed);
  // One of the smaller, of the middle and of the larger numbers.
  for (const int least : {5, 13, 25}) {
    int sms = 0;
    do {
      sms = least + static_cast<int>(draw.Below(7));
    } while (std::count(calibrated.begin(), calibrated.end(), sms) > 0);
    held.push_back(sms);
  }
  return held;
}

}  // namespace pipescope::kernels::bench
