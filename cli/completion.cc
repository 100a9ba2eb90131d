#include "cli/completion.h"

#include <algorithm>
#include <functional>

namespace pipescope::cli {
namespace {

// In single quotes, for a shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string Joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

void ForEach(const Command& command, const std::function<void(const Command&)>& visit) {
  visit(command);
  for (const Command& verb : command.verbs) ForEach(verb, visit);
}

// "schedule show", "" for the root.
std::string VerbsOf(const Command& command) {
  const size_t space = command.name.find(' ');
  return space == command.name.npos ? "" : command.name.substr(space + 1);
}

std::string LastWord(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

std::vector<std::string> WordsOf(const Command& command) {
  std::vector<std::string> words;
  for (const Command& verb : command.verbs) words.push_back(LastWord(verb.name));
  for (const CommandOption& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return words;
}

bool TakesFile(const Command& command) {
  return std::any_of(command.arguments.begin(), command.arguments.end(),
                     [](const CommandOption& argument) { return argument.names_file(); });
}

// The arms of a case over "verbs:word before", then over the verbs alone.
std::string BashArms(const Command& root) {
  std::string arms;
  ForEach(root, [&](const Command& command) {
    for (const CommandOption& option : command.options) {
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) {
        patterns.push_back(Quoted(VerbsOf(command) + ":" + name));
      }
      arms += "    " + Joined(patterns, "|") + ") words=" + Quoted(Joined(option.values, " ")) +
              " files=" + (option.names_file() ? "1" : "") + " ;;\n";
    }
  });
  ForEach(root, [&](const Command& command) {
    arms += "    " + Quoted(VerbsOf(command) + ":") +
            "*) words=" + Quoted(Joined(WordsOf(command), " ")) +
            " files=" + (TakesFile(command) ? "1" : "") + " ;;\n";
  });
  return arms;
}

std::string VerbNames(const Command& root) {
  std::vector<std::string> patterns;
  ForEach(root, [&](const Command& command) {
    if (&command != &root) patterns.push_back(Quoted(VerbsOf(command)));
  });
  return Joined(patterns, "|");
}

// An option's description cannot end the line that it stands on.
std::string FishText(const CommandOption& option) {
  std::string text;
  for (const char c : option.description)
    text += c == '\'' || c == '\\' ? std::string("\\") + c : c == '\n' ? " " : std::string(1, c);
  return "'" + text + "'";
}

std::string FishOption(const std::string& when, const CommandOption& option) {
  std::string line = "complete -c pipescope " + when;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (!option.value.empty()) line += " -r";
  if (!option.value.empty() && !option.names_file()) line += " -f";
  if (!option.values.empty()) line += " -a '" + Joined(option.values, " ") + "'";
  return line + " -d " + FishText(option) + "\n";
}

}  // namespace

std::string BashCompletion(const Command& root) {
  return "# Completes pipescope in bash: source <(pipescope completion bash)\n"
         "_pipescope() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before='' verbs='' words='' files='' i\n"
         "  ((COMP_CWORD > 1)) && before=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    case \"${verbs:+$verbs }${COMP_WORDS[i]}\" in\n"
         "    " +
         VerbNames(root) +
         ") verbs=${verbs:+$verbs }${COMP_WORDS[i]} ;;\n"
         "    esac\n"
         "  done\n"
         "  [[ $before == -* ]] || before=''\n"
         "  case \"$verbs:$before\" in\n" +
         BashArms(root) +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\"\n"
         "    [[ -z $files ]] || compgen -f -- \"$word\")\n"
         "}\n"
         "complete -o filenames -F _pipescope pipescope\n";
}

// zsh runs bash's function through its own layer for such scripts.
std::string ZshCompletion(const Command& root) {
  std::string body;
  const std::string script = BashCompletion(root);
  return "#compdef pipescope\n"
         "autoload -U +X bashcompinit && bashcompinit\n"
         "mapfile() {  # as bash's -t, which zsh does not have\n"
         "  COMPREPLY=(\"${(@f)$(cat)}\")\n"
         "}\n" +
         script;
}

std::string FishCompletion(const Command& root) {
  std::string script = "# Completes pipescope in fish.\ncomplete -c pipescope -e\n";
  ForEach(root, [&](const Command& command) {
    const std::string verbs = VerbsOf(command);
    std::string when = "__fish_seen_subcommand_from " + LastWord(verbs);
    if (verbs.find(' ') != verbs.npos) {
      when = "__fish_seen_subcommand_from " + verbs.substr(0, verbs.find(' ')) + "; and " + when;
    }
    if (verbs.empty()) when = "__fish_use_subcommand";
    when = "-n '" + when + "'";
    std::vector<std::string> names;
    for (const Command& verb : command.verbs) names.push_back(LastWord(verb.name));
    for (const Command& verb : command.verbs) {
      std::string unless = when;
      if (!verbs.empty()) {
        unless.insert(unless.size() - 1,
                      "; and not __fish_seen_subcommand_from " + Joined(names, " "));
      }
      const CommandOption as_option = {{}, "", {}, verb.description};
      script += "complete -c pipescope " + unless + " -f -a " + LastWord(verb.name) + " -d " +
                FishText(as_option) + "\n";
    }
    for (const CommandOption& option : command.options) script += FishOption(when, option);
  });
  return script;
}

}  // namespace pipescope::cli
