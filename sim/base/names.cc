#include "sim/base/names.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace pipescope {
namespace {

// Levenshtein's distance, one row at a time.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string NearestName(std::string_view name, std::span<const std::string> known) {
  constexpr size_t kLongest = 64;  // a longer word is no typing error
  std::string best;
  if (name.empty() || name.size() > kLongest) return best;
  size_t least = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongest) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

std::string Suggestion(std::string_view name, std::span<const std::string> known) {
  const std::string nearest = NearestName(name, known);
  if (!nearest.empty()) return "; did you mean '" + nearest + "'?";
  constexpr size_t kMost = 24;
  std::string text;
  for (size_t i = 0; i < known.size() && i < kMost; ++i) {
    text += (i == 0 ? "; known: " : ", ") + known[i];
  }
  if (known.size() > kMost) text += ", ...";
  return text;
}

}  // namespace pipescope
