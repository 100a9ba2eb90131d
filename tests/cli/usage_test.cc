// A command line that is wrong: one line that says what was meant, exit 2.
#include "tests/cli/run.h"

namespace pipescope::cli {
namespace {

class Usage : public CliTest {};

TEST_F(Usage, NoVerb) { ExpectRefused({}, {"a verb is missing", "(see pipescope --help)"}); }

TEST_F(Usage, UnknownVerb) {
  ExpectRefused({"simulat", "x.yaml"}, {"unknown verb 'simulat'; did you mean 'simulate'?"});
  ExpectRefused({"frobnicate"}, {"unknown verb 'frobnicate'; known: ", "compare", "topology"});
  ExpectRefused({"schedule", "shw"}, {"schedule: unknown verb 'shw'; did you mean 'show'?",
                                      "(see pipescope schedule --help)"});
  ExpectRefused({"schedule"}, {"schedule: a verb is missing"});
}

TEST_F(Usage, UnknownOption) {
  ExpectRefused({"compare", "x.yaml", "--schedule", "1f1b"},
                {"compare: unknown option '--schedule'; did you mean '--schedules'?",
                 "(see pipescope compare --help)"});
  ExpectRefused({"simulate", "x.yaml", "--htm=report.html"},
                {"unknown option '--htm'; did you mean '--html'?"});
  ExpectRefused({"--verbos"}, {"unknown option '--verbos'"});
  ExpectRefused({"simulate", "x.yaml", "-q"}, {"simulate: unknown option '-q'"});
}

TEST_F(Usage, Missing) {
  ExpectRefused({"simulate"}, {"simulate: experiment is required"});
  ExpectRefused({"compare", "x.yaml"}, {"compare: --schedules is required"});
  ExpectRefused({"regress"}, {"regress: --baseline is required"});
  ExpectRefused({"simulate", "x.yaml", "--html"}, {"simulate: --html", "FILE"});
}

TEST_F(Usage, TooMuch) {
  ExpectRefused({"simulate", "x.yaml", "y.yaml"}, {"simulate: unexpected argument 'y.yaml'"});
}

TEST_F(Usage, WrongValue) {
  ExpectRefused({"simulate", V3(), "--format", "xml"}, {"--format", "xml", "{text,json}"});
  ExpectRefused({"simulate", V3(), "--engine", "nativ"}, {"--engine", "nativ"});
  ExpectRefused({"model", "show", "deepseek_v3", "--sequence", "many"}, {"--sequence", "many"});
  ExpectRefused({"model", "show", "deepseek_v3", "--sequence", "0"}, {"--sequence", "0"});
}

TEST_F(Usage, AWordWithControlCharactersStaysOneLine) {
  ExpectRefused({"simulate", "a\nb\033[31m.yaml"}, {"a?b?[31m.yaml"});
  ExpectRefused({"one\ntwo"}, {"one?two"});
}

TEST_F(Usage, AnEmptyName) { ExpectRefused({"simulate", ""}, {"the name of a file is empty"}); }

}  // namespace
}  // namespace pipescope::cli
