// A topology file. What is read can be written, and what is written can be read.
#include "tests/fuzz/input.h"
#include "topology/load.h"
#include "topology/write.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  const auto document = ParseDocument(fuzz::AsText(data, size), "in.yaml");
  if (!fuzz::Sound(document)) return 0;
  const auto cluster = topology::ParseCluster(*document);
  if (!fuzz::Sound(cluster)) return 0;
  const auto again = ParseDocument(topology::ClusterYaml(*cluster, {}), "again.yaml");
  fuzz::Expect(again.has_value(), "what ClusterYaml writes is no YAML");
  fuzz::Expect(topology::ParseCluster(*again).has_value(), "what ClusterYaml writes is refused");
  return 0;
}
