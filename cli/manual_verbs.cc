#include "cli/manual_verbs.h"

#include <memory>

#include "cli/completion.h"
#include "cli/examples.h"
#include "cli/man.h"
#include "cli/verb.h"
#include "cli/version.h"

namespace pipescope::cli {
namespace {

std::string Script(const Command& root, const std::string& shell) {
  if (shell == "zsh") return ZshCompletion(root);
  return shell == "fish" ? FishCompletion(root) : BashCompletion(root);
}

}  // namespace

void AddManualVerbs(CLI::App& app, int& exit_code) {
  CLI::App* completion =
      app.add_subcommand("completion", "A script that completes verbs and options in a shell.");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "The shell: bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  completion->callback(
      [&app, shell, &exit_code] { exit_code = Emit("", Script(TreeOf(app), *shell)); });
  LeadWithExamples(*completion,
                   "pipescope completion bash > pipescope.bash\n"
                   "pipescope completion zsh > _pipescope\n"
                   "pipescope completion fish > pipescope.fish");
  CLI::App* man = app.add_subcommand("man", "The manual page, as roff.");
  man->callback([&app, &exit_code] { exit_code = Emit("", ManPage(TreeOf(app), kVersion)); });
  LeadWithExamples(*man, "pipescope man > pipescope.1");
}

}  // namespace pipescope::cli
