// Ctrl-C on long work: what is under way is finished and written, then the verb ends.
#pragma once

#include <atomic>

namespace pipescope::cli {

// From here on the first SIGINT or SIGTERM turns the flag true in place of ending the process; a
// second one ends it. Others may set the flag too.
std::atomic<bool>& CatchInterrupts();

// 128 and the signal's number, as shells have it: 130 after SIGINT; 0 where none came.
int InterruptExitCode();

}  // namespace pipescope::cli
