// What ibnetdiscover prints.
#include "sim/base/document.h"
#include "tests/fuzz/input.h"
#include "topology/import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  topology::ImportOptions options;
  options.from = "ibnetdiscover";
  options.node = "h800_2048_fat_tree";
  const auto imported = topology::ImportTopology(fuzz::AsText(data, size), "in", options);
  if (!fuzz::Sound(imported)) return 0;
  fuzz::Expect(ParseDocument(imported->yaml, "out.yaml").has_value(), "what it writes is no YAML");
  return 0;
}
