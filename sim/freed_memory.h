// Memory between one step and the next, where a process simulates many.
//
// A step of DeepSeek-V3 at `op` takes some 12 MB, in arrays of up to 3 MB, and gives them back.
// That is more than glibc keeps: it returns the top of the heap to the system after every step, and
// the next one faults the same pages in again. Measured: 5 of the 19 ms that a point of a sweep
// takes.
//
// Source: mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
#pragma once

namespace pipescope {

// From here on the process keeps up to 256 MiB that is free, in place of giving it back. Arrays of
// over 32 MiB, as of steps at `flow`, are the system's as before.
void KeepFreedMemory();

}  // namespace pipescope
