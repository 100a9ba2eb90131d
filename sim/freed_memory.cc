#include "sim/freed_memory.h"

#include <malloc.h>

namespace pipescope {

void KeepFreedMemory() {
  // What an allocator other than glibc's makes of it, such as a sanitizer's, changes no result.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

}  // namespace pipescope
