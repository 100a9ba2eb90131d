#include "cli/sweep_store.h"

#include <filesystem>

#include "sim/base/file.h"

namespace pipescope::cli {

using sweep::Foreign;
using sweep::Lines;

Status SweepStore::ReadAll(Foreign foreign, Lines& lines) const {
  for (const std::string& part : sweep::PartsOf(plan_.file)) {
    auto read = sweep::ReadLines(part, plan_.identity, plan_.points, foreign, lines);
    if (!read) return read;
  }
  return sweep::ReadLines(plan_.file, plan_.identity, plan_.points, foreign, lines);
}

Status SweepStore::Open() {
  if (plan_.file.empty()) return {};
  if (plan_.resume) {
    if (auto read = ReadAll(Foreign::kRefuse, lines_); !read) return read;
    if (static_cast<int64_t>(lines_.size()) == plan_.points) return {};
  }
  return journal_.Open(sweep::PartPath(plan_.file, plan_.worker), plan_.resume);
}

std::vector<int64_t> SweepStore::Pending() const {
  std::vector<int64_t> pending;
  for (int64_t p = 0; p < plan_.points; ++p) {
    if (plan_.worker.Owns(p) && !lines_.contains(p)) pending.push_back(p);
  }
  return pending;
}

Status SweepStore::Append(int64_t point, const std::string& line) {
  if (!plan_.file.empty()) {
    if (auto ok = journal_.Append(line); !ok) return ok;
  }
  lines_.emplace(point, line);
  return {};
}

Result<Lines> SweepStore::Finish() {
  if (plan_.file.empty()) return std::move(lines_);
  if (auto closed = journal_.Close(); !closed) return Fail(closed.error());
  if (plan_.worker.size > 1) {
    if (auto read = ReadAll(Foreign::kSkip, lines_); !read) return Fail(read.error());
  }
  if (static_cast<int64_t>(lines_.size()) < plan_.points) return std::move(lines_);
  std::string text;
  for (const auto& [point, line] : lines_) text += line + "\n";
  if (auto written = WriteFileAtomically(plan_.file, text); !written) return Fail(written.error());
  for (const std::string& part : sweep::PartsOf(plan_.file)) {
    std::error_code gone_already;
    std::filesystem::remove(part, gone_already);
  }
  return std::move(lines_);
}

}  // namespace pipescope::cli
