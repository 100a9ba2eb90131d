// --set path=value on a document.
#include "sim/base/document.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pipescope;
  auto document = ParseDocument("a: {b: [1, {c: 2}]}\nd: text\n", "in.yaml");
  fuzz::Expect(document.has_value(), "the document");
  const std::string text = fuzz::AsText(data, size);
  const size_t equals = text.find('=');
  if (equals == text.npos) return 0;
  fuzz::Sound(SetValue(*document, text.substr(0, equals), text.substr(equals + 1)));
  return 0;
}
