#include "cli/verb.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cli/command_tree.h"
#include "sim/base/file.h"
#include "sim/base/names.h"

namespace pipescope::cli {
namespace {

constexpr const char* kNotAFile =
    "'-': expected the name of a file; one text goes to standard output";

// Names come from files and command lines: whatever they hold, a complaint is one line.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

int Print(const std::string& text) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return kOk;
  // `| head` has read what it wanted.
  if (errno == EPIPE) return kOk;
  return Complain({std::string("standard output cannot be written: ") + std::strerror(errno)});
}

// The innermost verb that was named, and its name as typed: "topology show".
const CLI::App* InnermostVerb(const CLI::App& app, std::string& name) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
    name += (name.empty() ? "" : " ") + verb->get_name();
  }
  return verb;
}

std::string UnknownWord(const CLI::App& verb, const std::string& word) {
  std::vector<std::string> known;
  if (word.starts_with('-')) {
    for (const CLI::Option* option : verb.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      for (const std::string& name : option->get_snames()) known.push_back("-" + name);
    }
    const std::string option = word.substr(0, word.find('='));
    return "unknown option '" + option + "'" + Suggestion(option, known);
  }
  for (const CLI::App* inner : verb.get_subcommands(nullptr)) known.push_back(inner->get_name());
  if (known.empty()) return "unexpected argument '" + word + "'";
  return "unknown verb '" + word + "'" + Suggestion(word, known);
}

// "--format: xml not in {text,json}", as CLI11 says it, with the nearest of them.
std::string WithSuggestion(const std::string& text) {
  constexpr std::string_view kNotIn = " not in {";
  const size_t at = text.find(kNotIn), colon = text.find(": ");
  if (at == text.npos || colon == text.npos || colon >= at) return text;
  const std::string word = text.substr(colon + 2, at - colon - 2);
  const std::string nearest = NearestName(word, ValuesIn(text.substr(at)));
  return nearest.empty() ? text : text + "; did you mean '" + nearest + "'?";
}

}  // namespace

int Complain(const Error& error) {
  std::fprintf(stderr, "pipescope: error: %s\n", OneLine(error.ToString()).c_str());
  return kBadInput;
}

int ComplainOfUsage(const CLI::App& app, const CLI::ParseError& error) {
  std::string name;
  const CLI::App* verb = InnermostVerb(app, name);
  const std::vector<std::string> unknown = verb->remaining();
  // A word that is not understood comes first: what is missing then may be what it was meant for.
  const bool missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ||
                       dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  std::string text =
      missing && !unknown.empty() ? UnknownWord(*verb, unknown.front()) : std::string(error.what());
  text = WithSuggestion(text);
  if (text == "A subcommand is required") text = "a verb is missing";
  if (!name.empty()) text = name + ": " + text;
  return Complain({text + " (see pipescope " + name + (name.empty() ? "" : " ") + "--help)"});
}

Status CheckOutputs(const std::vector<std::string>& files, const std::string& path) {
  FileBatch batch;  // never committed
  std::vector<std::string> all = files;
  if (path != "-") all.push_back(path);
  for (const std::string& file : all) {
    if (file == "-") return Fail(kNotAFile);
    std::error_code error;
    const auto type = std::filesystem::status(file, error).type();
    const bool may_be_file = type == std::filesystem::file_type::regular ||
                             type == std::filesystem::file_type::directory ||
                             type == std::filesystem::file_type::not_found ||
                             type == std::filesystem::file_type::none;
    // A pipe would be opened, and ended.
    if (file.empty() || !may_be_file) continue;
    if (auto added = batch.Add(file, ""); !added) return added;
  }
  return {};
}

int EmitAll(const std::vector<OutputFile>& files, const std::string& path,
            const std::string& text) {
  FileBatch batch;
  for (const OutputFile& file : files) {
    if (file.path.empty()) continue;
    if (file.path == "-") return Complain({kNotAFile});
    if (auto added = batch.Add(file.path, file.bytes); !added) return Complain(added.error());
  }
  if (!path.empty() && path != "-") {
    if (auto added = batch.Add(path, text); !added) return Complain(added.error());
  } else if (const int printed = Print(text); printed != kOk) {
    return printed;
  }
  if (auto written = batch.Commit(); !written) return Complain(written.error());
  for (const OutputFile& file : files) {
    if (!file.path.empty()) std::fprintf(stderr, "pipescope: wrote %s\n", file.path.c_str());
  }
  return kOk;
}

int Emit(const std::string& path, const std::string& text) { return EmitAll({}, path, text); }

std::string CommandLine(int argc, char** argv) {
  std::string line = "pipescope";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_-./,=:+@%") == std::string::npos;
    if (plain) {
      line += " " + word;
      continue;
    }
    line += " '";
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  return line;
}

}  // namespace pipescope::cli
