// Runs a target on the files and folders named, and on mutants of each: cut off, with a byte
// changed, a piece doubled or taken out, a number made huge, or spliced with another input. The
// mutants are the same on every run.
//
//   replay --mutants=200 corpus/trace
//
// Stands in for libFuzzer where that is not at hand, and in CI; it does not look at coverage.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void Run(const std::string& bytes) {
  // A copy of exactly this size: a sanitizer sees a read past its end.
  const std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string Mutant(std::string bytes, const std::string& other, std::mt19937_64& random) {
  static constexpr const char* kPieces[] = {
      "-1", "999999999999",         "1e308", "[", "{", "\"", "\n", "nan", ":", ",",
      "0",  "18446744073709551616", "<a>",   "&", "]"};
  const auto below = [&](size_t n) {
    return static_cast<size_t>(random() % std::max<size_t>(n, 1));
  };
  for (size_t rounds = 1 + below(3); rounds > 0; --rounds) {
    const size_t at = below(bytes.size() + 1);
    const size_t length = below(std::min<size_t>(bytes.size() - at, 64) + 1);
    switch (below(6)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.replace(at, length, kPieces[below(std::size(kPieces))]);
        break;
      default:
        bytes = bytes.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }
  return bytes;
}

std::vector<fs::path> InputsOf(const std::vector<std::string>& places) {
  std::vector<fs::path> inputs;
  for (const std::string& place : places) {
    if (!fs::is_directory(place)) {
      inputs.emplace_back(place);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (!entry.is_directory()) inputs.push_back(entry.path());
    }
  }
  std::sort(inputs.begin(), inputs.end());
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr const char* kOption = "--mutants=";
  long mutants = 0;
  std::vector<std::string> places;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with(kOption)) {
      mutants = std::atol(word.c_str() + std::strlen(kOption));
    } else {
      places.push_back(word);
    }
  }
  std::vector<std::string> texts;
  for (const fs::path& path : InputsOf(places)) texts.push_back(Read(path));
  if (texts.empty()) {
    std::fprintf(stderr, "usage: replay [--mutants=N] FILE|FOLDER...\n");
    return 2;
  }
  std::mt19937_64 random(1);
  long runs = 0;
  for (const std::string& text : texts) {
    Run(text);
    ++runs;
    for (long i = 0; i < mutants; ++i, ++runs) {
      const std::string mutant = Mutant(text, texts[random() % texts.size()], random);
      // What kills the process lies in $FUZZ_LAST afterwards.
      if (const char* last = std::getenv("FUZZ_LAST"); last != nullptr) {
        std::ofstream(last, std::ios::binary) << mutant;
      }
      Run(mutant);
    }
  }
  std::printf("%zu inputs, %ld runs\n", texts.size(), runs);
  return 0;
}
