// Costs of actions, as text of an option and as a file.
#include "schedules/costs.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  const std::string text = fuzz::AsText(data, size);
  if (text.find('=') != text.npos) fuzz::Sound(schedules::ReadCosts(text));
  fuzz::Sound(schedules::ReadCosts(fuzz::AsFile(data, size)));
  return 0;
}
