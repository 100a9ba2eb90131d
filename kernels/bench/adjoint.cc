#include "kernels/bench/adjoint.h"

namespace pipescope::kernels::bench {
namespace {

constexpr int kDirections = 8;
constexpr float kStep = 1.0F / 256;  // results are floats: their rounding costs 2^-24 / h

double Dot(std::span<const float> a, std::span<const float> b) {
  PIPESCOPE_CHECK(a.size() == b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

std::vector<float> Moved(const std::vector<float>& x, const std::vector<float>& v, float by) {
  std::vector<float> moved = x;
  for (size_t i = 0; i < x.size(); ++i) moved[i] += by * v[i];
  return moved;
}

}  // namespace

void NoteGradient(Checked& checked, const std::string& what, Draw& draw,
                  const std::vector<float>& x, const Function& f, const Gradient& gradient) {
  std::vector<double> is, should;
  const size_t outputs = f(x).size();
  for (int i = 0; i < kDirections; ++i) {
    const auto v = DrawNormal(draw, static_cast<int64_t>(x.size()));
    const auto w = DrawNormal(draw, static_cast<int64_t>(outputs));
    should.push_back((Dot(w, f(Moved(x, v, kStep))) - Dot(w, f(Moved(x, v, -kStep)))) /
                     (2.0 * kStep));
    is.push_back(Dot(v, gradient(x, w)));
  }
  Note(checked, what, is, should);
}

}  // namespace pipescope::kernels::bench
