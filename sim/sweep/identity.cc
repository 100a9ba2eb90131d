#include "sim/sweep/identity.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "sim/base/document.h"
#include "sim/base/file.h"

namespace pipescope::sweep {
namespace {

class Hash {
 public:
  // With its length, so that "ab" + "c" is not "a" + "bc".
  void Add(const std::string& text) {
    AddBytes(fmt::format("{}:", text.size()));
    AddBytes(text);
  }
  std::string Digits() const { return fmt::format("{:016x}", state_); }

 private:
  void AddBytes(const std::string& bytes) {
    for (const char c : bytes) {
      state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
  }
  uint64_t state_ = 0xcbf29ce484222325;
};

void CollectScalars(const Value& value, std::set<std::string>& scalars) {
  if (value.kind == Value::Kind::kScalar) scalars.insert(value.scalar);
  for (const Value& item : value.items) CollectScalars(item, scalars);
  for (const auto& [name, member] : value.members) CollectScalars(member, scalars);
}

void CollectValue(const std::string& text, std::set<std::string>& scalars) {
  scalars.insert(text);
  if (const auto parsed = ParseDocument(text, "")) CollectScalars(parsed->root, scalars);
}

// Paths count from the experiment's folder, those of schedules from where the user stands.
std::set<std::string> FilesAmong(const std::set<std::string>& scalars,
                                 const std::string& experiment) {
  std::set<std::string> files;
  const std::filesystem::path folder = std::filesystem::path(experiment).parent_path();
  for (const std::string& scalar : scalars) {
    if (scalar.find_first_of("./") == std::string::npos) continue;
    for (const std::filesystem::path& path : {folder / scalar, std::filesystem::path(scalar)}) {
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error)) {
        files.insert(path.lexically_normal().string());
      }
    }
  }
  return files;
}

}  // namespace

Result<std::string> IdentityOf(const std::string& experiment,
                               const std::vector<std::string>& overrides, const Grid& grid,
                               const std::string& fidelity, const std::string& version) {
  Hash hash;
  std::set<std::string> scalars;
  hash.Add(version);
  hash.Add(fidelity);
  const auto text = ReadFile(experiment);
  if (!text) return Fail(text.error());
  hash.Add(*text);
  const auto document = ParseDocument(*text, experiment);
  if (!document) return Fail(document.error());
  CollectScalars(document->root, scalars);
  for (const std::string& override : overrides) {
    hash.Add(override);
    CollectValue(override.substr(override.find('=') + 1), scalars);
  }
  for (const Axis& axis : grid.axes()) {
    hash.Add(fmt::format("axis {}", axis.rows.size()));
    for (const std::string& path : axis.paths) hash.Add(path);
    for (const auto& row : axis.rows) {
      for (const std::string& value : row) {
        hash.Add(value);
        CollectValue(value, scalars);
      }
    }
  }
  std::set<std::string> contents;  // not names: these depend on where the user stands
  for (const std::string& path : FilesAmong(scalars, experiment)) {
    const auto bytes = ReadFile(path);
    if (!bytes) return Fail(bytes.error());
    Hash content;
    content.Add(*bytes);
    contents.insert(content.Digits());
  }
  for (const std::string& content : contents) hash.Add(content);
  return hash.Digits();
}

}  // namespace pipescope::sweep
