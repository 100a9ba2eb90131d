// An order as PyTorch writes it, compute-only or lowered, with the judgement of it.
#include "schedules/schedule_file.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  fuzz::Sound(schedules::JudgeScheduleFile(fuzz::AsFile(data, size)));
  return 0;
}
