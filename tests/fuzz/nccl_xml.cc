// NCCL's topology XML.
#include "sim/base/document.h"
#include "tests/fuzz/input.h"
#include "topology/import/import.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  topology::ImportOptions options;
  options.from = "nccl";
  const auto imported = topology::ImportTopology(fuzz::AsText(data, size), "in", options);
  if (!fuzz::Sound(imported)) return 0;
  fuzz::Expect(ParseDocument(imported->yaml, "out.yaml").has_value(), "what it writes is no YAML");
  return 0;
}
