// A baseline of regress.
#include "sim/result/baseline.h"

#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  fuzz::Sound(LoadBaseline(fuzz::AsFile(data, size)));
  return 0;
}
