// A table of measured efficiencies.
#include "sim/costs/efficiency_file.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  fuzz::Sound(costs::EfficiencyFile::Load(fuzz::AsFile(data, size), 132));
  return 0;
}
