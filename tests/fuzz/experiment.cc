// An experiment, with all that it names.
#include "sim/experiment/experiment.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  fuzz::Sound(LoadExperiment(fuzz::AsFile(data, size)));
  return 0;
}
