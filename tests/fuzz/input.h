// What the fuzz targets share. A target is one function with libFuzzer's signature,
//   extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// in a file of its own, which feeds the bytes to one reader of input. It is built twice: with
// replay.cc, which runs the corpus and mutants of it in every test run, and with libFuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pipescope::fuzz {

std::string AsText(const uint8_t* data, size_t size);

// The bytes as a file in memory, whose name holds until the next call: readers that take a path.
std::string AsFile(const uint8_t* data, size_t size);

// Every complaint is one that a person can use: it says something, in bounded length, and holds
// the file's name or the field. Aborts otherwise.
void Expect(bool condition, const char* what);

template <class Result>
bool Sound(const Result& result) {
  if (result) return true;
  Expect(!result.error().message.empty(), "an error without words");
  Expect(result.error().message.size() < 4096, "an error without end");
  return false;
}

}  // namespace pipescope::fuzz
