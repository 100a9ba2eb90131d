// Small inputs made to unfold without end: each is refused in a line, within a bounded time and a
// bounded memory (setrlimit), whatever the verb.
#include <gmock/gmock.h>
#include <zlib.h>

#include <filesystem>

#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // shadow memory is terabytes of address space
#else
constexpr bool kSanitized = false;
#endif

std::string Repeated(const std::string& piece, size_t times) {
  std::string text;
  text.reserve(piece.size() * times);
  for (size_t i = 0; i < times; ++i) text += piece;
  return text;
}

class Bomb : public CliTest {
 protected:
  Bomb() {
    limits[RLIMIT_CPU] = kSanitized ? 100 : 10;
    if (!kSanitized) limits[RLIMIT_AS] = rlim_t{1} << 30;
  }

  void ExpectFileRefused(const std::string& name, const std::string& text,
                         std::vector<std::string> arguments, const std::string& why) {
    Write(name, text);
    arguments.push_back(name);
    ExpectRefused(arguments, {why});
  }

  // In every place that is read as YAML or JSON by the same reader.
  void ExpectDocumentRefused(const std::string& text, const std::string& why) {
    ExpectFileRefused("bomb.yaml", text, {"simulate"}, why);
    ExpectFileRefused("bomb.yaml", text, {"topology", "show"}, why);
    ExpectFileRefused("bomb.json", text, {"model", "show"}, why);
    ExpectFileRefused("bomb.json", text, {"regress", "--baseline"}, why);
    ExpectRefused({"simulate", V3(), "--set", "costs.profile=" + folder + "/bomb.json"}, {why});
    ExpectRefused({"simulate", V3(), "--set", "costs.efficiency_file=" + folder + "/bomb.json"},
                  {why});
  }

  std::string WriteGzip(const std::string& name, const std::string& piece, size_t times) {
    const std::string path = folder + "/" + Write(name, "");
    gzFile file = gzopen(path.c_str(), "wb9");
    gzputs(file, "{\"traceEvents\": [");
    for (size_t i = 0; i < times; ++i) gzwrite(file, piece.data(), unsigned(piece.size()));
    gzclose(file);
    return name;
  }
};

TEST_F(Bomb, AliasesAreRefused) {
  std::string laughs = "a0: &a0 [lol, lol]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string name = "a" + std::to_string(i), before = "*a" + std::to_string(i - 1);
    laughs += name + ": &" + name + " [" + Repeated(before + ", ", 9) + before + "]\n";
  }
  ExpectDocumentRefused(laughs, "aliases ('*name') are not allowed");
}

TEST_F(Bomb, DeepNesting) {
  for (const char* open : {"[", "{a: ", "- ", "? "}) {
    ExpectDocumentRefused(Repeated(open, 200'000), "");
  }
  std::string block;
  for (size_t i = 0; i < 1000; ++i) block += std::string(i, ' ') + "a:\n";
  ExpectDocumentRefused(block, "nested more than 64 levels deep");
  for (const char* open : {"[", "{\"a\":"}) {
    ExpectFileRefused("r.json", Repeated(open, 1'000'000), {"report", "-o", "r.html"},
                      "nested more than 64 levels deep");
    ExpectFileRefused("t.json", "{\"traceEvents\": " + Repeated(open, 1'000'000), {"trace", "show"},
                      "");
  }
  ExpectFileRefused("t.json", "{\"traceEvents\": [{\"args\": " + Repeated("[", 1'000'000),
                    {"trace", "show"}, "deep");
}

TEST_F(Bomb, DeepXmlAndEntities) {
  ExpectFileRefused("n.xml", Repeated("<pci>", 1'000'000), {"topology", "import", "-o", "o.yaml"},
                    "");
  std::string laughs = "<?xml version=\"1.0\"?><!DOCTYPE s [<!ENTITY a0 \"lol\">";
  for (int i = 1; i < 30; ++i) {
    laughs += "<!ENTITY a" + std::to_string(i) + " \"" +
              Repeated("&a" + std::to_string(i - 1) + ";", 10) + "\">";
  }
  ExpectFileRefused("n.xml", laughs + "]><system>&a29;</system>",
                    {"topology", "import", "-o", "o.yaml"}, "a document type is not expected here");
}

TEST_F(Bomb, TooManyRanks) {
  for (const char* many : {"1000000000000", "1T", "9223372036854775808"}) {
    const std::string set = std::string("=") + many;
    ExpectRefused({"simulate", V3(), "--set", "parallel.pipeline" + set}, {"parallel.pipeline: '"});
    ExpectRefused({"simulate", V3(), "--set", "parallel.data" + set}, {"parallel.data: '"});
    ExpectRefused({"simulate", V3(), "--set", "training.global_batch" + set}, {""});
    ExpectRefused({"schedule", "show", "1f1b", "--ranks", many, "--microbatches", "4"},
                  {"--ranks", "expected 1 to 65536"});
    ExpectRefused({"schedule", "show", "1f1b", "--ranks", "4", "--microbatches", many},
                  {"--microbatches", "expected 1 to 16777216"});
    Write("small_topology.yaml", SmallTopology("nodes: 4", std::string("nodes: ") + many));
    ExpectRefused({"topology", "show", "small_topology.yaml"}, {"nodes: '"});
    Write("config.json", std::string("{\"model_type\": \"llama\", \"num_hidden_layers\": ") + many +
                             ", \"hidden_size\": 64, \"vocab_size\": 100}");
    ExpectRefused({"model", "show", "config.json"}, {"num_hidden_layers: '"});
  }
  // Each within its own limit, and too much together.
  ExpectRefused({"schedule", "show", "1f1b", "--ranks", "4096", "--microbatches", "1000000"}, {""});
}

TEST_F(Bomb, LongLines) {
  ExpectDocumentRefused("a: " + std::string(3 << 20, '9') + "\n", "");
  ExpectDocumentRefused(std::string(3 << 20, 'k') + ": 1\n", "");
  ExpectFileRefused("s.csv", Repeated("0F0;", 1 << 22), {"schedule", "check"}, "");
  ExpectFileRefused("m.txt", "\tGPU0\n" + Repeated("NV18\t", 1 << 21),
                    {"topology", "import", "-o", "o.yaml"}, "");
  ExpectRefused({"simulate", V3(), "--set", "name=" + Repeated("[", 100'000)}, {"deep"});
  ExpectRefused({"schedule", "show", "1f1b", "--ranks", "2", "--microbatches", "2", "--cost",
                 "F=" + std::string(100'000, '9')},
                {""});
}

TEST_F(Bomb, ManyKeys) {
  std::string keys;
  for (int i = 0; i < 150'000; ++i) keys += "k" + std::to_string(i) + ": 1\n";
  ExpectDocumentRefused(keys, "");
}

TEST_F(Bomb, EndlessFiles) {
  ExpectRefused({"simulate", "/dev/zero"}, {"bytes allowed"});
  ExpectRefused({"report", "/dev/zero", "-o", "r.html"}, {"/dev/zero"});
  ExpectRefused({"trace", "show", "/dev/zero"}, {"/dev/zero"});
}

TEST_F(Bomb, TightlyPackedTraces) {
  const std::string spaces(1 << 20, ' ');
  ExpectRefused({"trace", "show", WriteGzip("spaces.json.gz", spaces, 300)},
                {"holds a string or number of more than 1048576 bytes"});
  ExpectRefused({"trace", "show", WriteGzip("events.json.gz", Repeated("{},", 1 << 18), 300)},
                {"no trace is packed so tightly"});
  EXPECT_LT(std::filesystem::file_size(folder + "/events.json.gz"), 1u << 20);
  ExpectRefused({"trace", "show", WriteGzip("word.json.gz", "\"" + std::string(1 << 22, 'x'), 1)},
                {"holds a string or number of more than 1048576 bytes"});
}

}  // namespace
}  // namespace pipescope::cli
