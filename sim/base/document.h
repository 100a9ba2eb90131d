// A YAML or JSON file as a plain tree in which every value knows its line and column.
//
// JSON is read as the subset of YAML it is, so both kinds of file give the same errors. Files are
// bounded: size, depth and number of values have limits, and aliases (`*x`), with which a small
// file can unfold into a huge one, are refused.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/base/result.h"

namespace pipescope {

struct Value {
  enum class Kind { kNull, kScalar, kSequence, kMapping };
  Kind kind = Kind::kNull;
  std::string scalar = {};                                  // the text, where kScalar
  bool quoted = false;                                      // "12" is a string, 12 a number
  std::vector<Value> items = {};                            // where kSequence
  std::vector<std::pair<std::string, Value>> members = {};  // where kMapping, in file order
  int line = 0;
  int column = 0;

  // The member of that name, or nullptr.
  const Value* Find(const std::string& name) const;
};

struct Document {
  std::string file;
  Value root;
};

// Parses text that came from `file` (named in errors only). Fails on malformed text, a key given
// twice, an alias, a second document, or more than a million values.
Result<Document> ParseDocument(const std::string& text, const std::string& file);

// Reads and parses a file of at most `max_bytes`.
Result<Document> LoadDocument(const std::string& path, int64_t max_bytes = 4 << 20);

// Replaces the value at a dotted path ("communication.sms", "stages[2].layers"), making members
// that are missing, by what `text` says in YAML; this is `--set path=text`. Fails where the path
// runs through a scalar or past the end of a sequence, and then changes nothing. The new value has
// line 0: it is in no file.
Status SetValue(Document& document, const std::string& path, const std::string& text);

}  // namespace pipescope
