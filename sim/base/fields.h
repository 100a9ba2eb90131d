// A strict view of a mapping: what is read is checked, and what is not read is an error.
//
//   Reader reader(document);
//   Fields root = reader.Root();
//   gpu.sms = root.Integer("sms", 1, 1024);
//   gpu.hbm = root.GetBandwidth("hbm_bandwidth");      // "3.35 TB/s"
//   { Fields node = root.Object("node"); ... }
//   if (auto ok = reader.Finish(root); !ok) return Fail(ok.error());
//
// Getters never fail by themselves: they note the error and return a harmless value, so that a
// loader reads as a list of its fields. `Finish` gives the one error to show: an unknown name
// first (it usually explains the missing one), else the first that was noted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/base/document.h"
#include "sim/base/quantity.h"
#include "sim/base/result.h"
#include "sim/base/units.h"

namespace pipescope {

class Reader;

class Fields {
 public:
  bool Has(const std::string& name) const;
  // A scalar as it is written, "" where there is none; reads it, and notes nothing.
  std::string Text(const std::string& name);
  // The names written in the file, in its order, for mappings whose keys are data.
  std::vector<std::string> Names() const;

  // Without a fallback the field is required.
  std::string String(const std::string& name, std::optional<std::string> fallback = {});
  std::string Choice(const std::string& name, const std::vector<std::string>& choices,
                     std::optional<std::string> fallback = {});
  bool Boolean(const std::string& name, std::optional<bool> fallback = {});
  int64_t Integer(const std::string& name, int64_t least, int64_t most,
                  std::optional<int64_t> fallback = {});
  double Number(const std::string& name, double least, double most,
                std::optional<double> fallback = {});
  Duration GetDuration(const std::string& name, std::optional<Duration> fallback = {});
  Bytes GetBytes(const std::string& name, std::optional<Bytes> fallback = {});
  Bandwidth GetBandwidth(const std::string& name, std::optional<Bandwidth> fallback = {});
  FlopRate GetFlopRate(const std::string& name, std::optional<FlopRate> fallback = {});

  // A nested mapping; empty, and an error, where it is missing or something else.
  Fields Object(const std::string& name);
  // The same, empty and no error where it is missing: its fields take their fallbacks.
  Fields OptionalObject(const std::string& name);
  std::vector<Fields> Objects(const std::string& name);       // a sequence of mappings
  std::vector<std::string> Strings(const std::string& name);  // a sequence of scalars

  // Marks every field as read: for files that are not ours and hold more than we use.
  void IgnoreOthers();

  // Notes an error about a field (or, with "", about this mapping) for a check of the caller's.
  void Note(const std::string& name, const std::string& message);

  // The place of a field, for errors found later.
  Location Where(const std::string& name) const;
  std::string Path(const std::string& name) const;

 private:
  friend class Reader;
  Fields(Reader* reader, const Value* value, std::string path);

  const Value* Take(const std::string& name, bool required);
  const Value* TakeScalar(const std::string& name, bool required);
  template <class T, class Parse>
  T Quantity(const std::string& name, std::optional<T> fallback, Parse parse);

  Reader* reader_;
  const Value* value_;  // never null; an empty mapping stands for a missing one
  std::string path_;
  std::shared_ptr<std::set<std::string>> taken_;
};

class Reader {
 public:
  explicit Reader(const Document& document);
  Fields Root();
  // The error to show, if any was noted or a field of any mapping seen was left unread.
  Status Finish();

 private:
  friend class Fields;
  struct Seen {
    const Value* value;
    std::string path;
    std::shared_ptr<std::set<std::string>> taken;
  };
  void Note(const Value* at, const std::string& path, const std::string& message);

  const Document& document_;
  Value empty_;
  std::vector<Seen> seen_;
  std::optional<Error> first_;
};

}  // namespace pipescope
