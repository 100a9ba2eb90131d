// Scripts that complete pipescope's verbs, options and their values in a shell.
//
//   bash   source <(pipescope completion bash)
//   zsh    pipescope completion zsh > "${fpath[1]}/_pipescope"
//   fish   pipescope completion fish > ~/.config/fish/completions/pipescope.fish
//
// What can follow depends on the verbs named so far and on the word before: an option that takes
// a file offers files, one that takes one of a few values offers these, any other offers nothing;
// else the verb's own verbs and options are offered, and files where it takes one.
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace pipescope::cli {

std::string BashCompletion(const Command& root);
std::string ZshCompletion(const Command& root);
std::string FishCompletion(const Command& root);

}  // namespace pipescope::cli
