// A result that --json stored, made into a page.
#include "reports/stored.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  fuzz::Sound(reports::StoredData(fuzz::AsText(data, size), "in.json"));
  return 0;
}
