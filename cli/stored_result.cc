#include "cli/stored_result.h"

#include "reports/baseline_data.h"
#include "reports/stored.h"
#include "sim/base/file.h"

namespace pipescope::cli {

Result<nlohmann::ordered_json> LoadStored(const std::string& file) {
  constexpr int64_t kMostBytes = int64_t{256} << 20;
  auto text = ReadFile(file, kMostBytes);
  if (!text) return Fail(text.error());
  return reports::StoredData(*text, file);
}

Result<nlohmann::ordered_json> LoadBaseline(const std::string& file) {
  auto stored = LoadStored(file);
  if (!stored) return stored;
  return reports::BaselineData(*stored, file);
}

}  // namespace pipescope::cli
