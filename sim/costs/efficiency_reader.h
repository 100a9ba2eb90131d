// Reads SimuMax's system files; efficiency_file.h says what is in them.
#pragma once

#include "sim/base/fields.h"
#include "sim/costs/efficiency_file.h"

namespace pipescope::costs {

class EfficiencyReader {
 public:
  explicit EfficiencyReader(EfficiencyFile& file) : file_(file) {}
  // Errors are noted on `root`.
  void Read(Fields& root);

 private:
  // The shapes of one kind of operation, each with its share of the peak.
  void ReadShapes(Fields& operations, const std::string& kind);
  void AddShape(Fields& shapes, const std::string& kind, const std::string& text, double share);
  void ReadMemory(Fields& accelerator);
  void ReadNetworks(Fields& root);
  void ReadCollective(Fields& level_fields, Fields& operations, const std::string& level,
                      const std::string& name);

  EfficiencyFile& file_;
};

// The parts of "a=1, b=x": names and values. Empty where a part has no '='.
std::map<std::string, std::string> PartsOf(const std::string& shape);

}  // namespace pipescope::costs
