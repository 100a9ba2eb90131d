// A measured profile, and the costs that are derived from it.
#include "sim/costs/profile_source.h"
#include "tests/fuzz/input.h"
#include "topology/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  static const auto cluster = topology::LoadCluster("h800_2048_fat_tree");
  fuzz::Expect(cluster.has_value(), "no H800");
  fuzz::Sound(costs::ProfileSource::Load(fuzz::AsFile(data, size), cluster->gpu, {}));
  return 0;
}
