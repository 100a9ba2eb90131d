#include "cli/man.h"

namespace pipescope::cli {
namespace {

// Text that roff takes as it stands: no escapes, no request at the start of a line, and hyphens
// that can be copied into a shell.
std::string Roff(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c == '\n' ? ' ' : c;
    }
  }
  const bool request = escaped.starts_with('.') || escaped.starts_with('\'');
  return request ? "\\&" + escaped : escaped;
}

std::string OptionText(const CommandOption& option) {
  std::string names;
  for (const std::string& name : option.names) {
    names += (names.empty() ? "\\fB" : ", \\fB") + Roff(name) + "\\fR";
  }
  if (!option.value.empty())
    names += (names.empty() ? "\\fI" : " \\fI") + Roff(option.value) + "\\fR";
  std::string text = ".TP\n" + names + "\n" + Roff(option.description);
  if (!option.values.empty()) {
    text += (option.description.empty() ? "One of " : ". One of ");
    for (size_t i = 0; i < option.values.size(); ++i) {
      text += (i == 0 ? "" : ", ") + Roff(option.values[i]);
    }
  }
  return text + (option.required ? " (required)\n" : "\n");
}

void Append(const Command& command, std::string& page) {
  if (!command.verbs.empty() && command.name.find(' ') == command.name.npos) {
    page += ".SH VERBS\n";
  } else {
    page += ".SS \"" + Roff(command.name) + "\"\n" + Roff(command.description) + "\n";
  }
  for (const CommandOption& argument : command.arguments) page += OptionText(argument);
  for (const CommandOption& option : command.options) page += OptionText(option);
  if (!command.examples.empty()) {
    page += ".PP\nExamples:\n.RS\n.nf\n";
    for (const std::string& example : command.examples) page += Roff(example) + "\n";
    page += ".fi\n.RE\n";
  }
  for (const Command& verb : command.verbs) Append(verb, page);
}

}  // namespace

std::string ManPage(const Command& root, const std::string& version) {
  std::string page = ".TH PIPESCOPE 1 \"\" \"pipescope " + version + "\" \"User Commands\"\n";
  page += ".SH NAME\npipescope \\- what a step of pipeline\\-parallel training takes, and why\n";
  page += ".SH SYNOPSIS\n\\fBpipescope\\fR \\fIVERB\\fR ...\n.SH DESCRIPTION\n" +
          Roff(root.description) + "\n";
  Append(root, page);
  page +=
      ".SH EXIT STATUS\n.TP\n0\nwell\n.TP\n1\na check or a comparison failed\n.TP\n2\nbad usage "
      "or bad input, said in one line on stderr\n"
      ".SH ENVIRONMENT\n.TP\nNO_COLOR\nNo colour and no progress on stderr, where set and not "
      "empty.\n";
  return page;
}

}  // namespace pipescope::cli
