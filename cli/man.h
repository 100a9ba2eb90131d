// The manual page as roff (man(7) macros), made of the verbs and options themselves.
//
//   pipescope man | man -l -
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace pipescope::cli {

std::string ManPage(const Command& root, const std::string& version);

}  // namespace pipescope::cli
