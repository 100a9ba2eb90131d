// A model as its config.json, laid out in stages.
#include "sim/model/config.h"
#include "sim/model/layout.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  const auto document = ParseDocument(fuzz::AsText(data, size), "config.json");
  if (!fuzz::Sound(document)) return 0;
  const auto model = model::ParseModel(*document, "model");
  if (fuzz::Sound(model)) fuzz::Sound(model::BalancedLayout(*model, 4));
  return 0;
}
