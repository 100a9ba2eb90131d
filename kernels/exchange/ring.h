// The two ends of rings between warps, over any fabric.
//
// A writer may be `slots` rows ahead of what the reader has taken. It announces rows a message at a
// time (tail), the reader returns slots a message at a time (head): `credits`. Far rings have a
// copy on the writer's side that the NIC reads: a message is one put and one addition to the
// reader's tail, and ends where the ring does. The writer's copy of a slot is free when the
// reader's is.
//
// One end may serve several rings ("keys"), such as one for each node, with a counter for each.
//
// Why nobody waits for ever, with rings of two messages or more: a writer without room has
// announced all but less than a message of its `slots` rows; once its reader has taken those it has
// returned at least one message. So a full ring moves when its reader does. Readers that join rings
// (combine's sums) wait for one ring while others are full: therefore each ring's writer goes on
// whatever its other rings do, and announces a stream's last rows as soon as it has written them.
// The tests run the roles in orders drawn at random, where standing still is seen at once.
//
// A fabric, seen by one warp. All its lanes call all of these together and go the same way:
//
//   kLanes, lane()           1 on a CPU, 32 on a GPU
//   Sync()                   lanes meet; what each wrote is seen by the others
//   Sum(int), Counters       over the lanes; an array of 64-bit words, one a key
//   Own(at), Near(local, at) pointers into a window
//   Copy(to, from, bytes)    multiples of 16
//   Flag(i), Signal(local, i, value)          own flag (acquire), a near peer's flag (release)
//   Counter(i), Add(node, i, n)               own counter (acquire), a far peer's (release)
//   Put(node, to, from, bytes, i, n)          bytes to a far peer's window, then Add
//   Cursor(i), SetCursor(i, value)            words of the rank alone
//
// `local` and `node` may be one's own for flags, never for counters and puts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/exchange/window.h"
#include "kernels/target.h"

namespace pipescope::kernels::exchange {

// What a role did when it was asked to go on. A role never waits itself: whoever runs it does.
enum class Progress { kWaits, kMoved, kDone };

template <class Fabric>
class Writers {
 public:
  PIPESCOPE_BOTH void Open(Fabric& f, int key, const Ring& ring) {
    const uint64_t sent = f.Cursor(ring.sent);
    filled_.Set(key, sent);
    told_.Set(key, sent);
    freed_.Set(key, Freed(f, ring));
  }
  // Slots that may be filled now.
  PIPESCOPE_BOTH int Room(Fabric& f, int key, const Ring& ring) {
    const uint64_t slots = static_cast<uint64_t>(ring.slots);
    if (filled_.Get(key) - freed_.Get(key) == slots) freed_.Set(key, Freed(f, ring));
    return static_cast<int>(slots - (filled_.Get(key) - freed_.Get(key)));
  }
  PIPESCOPE_BOTH std::byte* Slot(Fabric& f, int key, const Ring& ring) {
    const int64_t at = SlotOf(ring, filled_.Get(key)) * ring.slot_bytes;
    return ring.far ? f.Own(ring.stage + at) : f.Near(ring.to, ring.at + at);
  }
  PIPESCOPE_BOTH void Push(Fabric& f, int key, const Ring& ring) {
    filled_.Set(key, filled_.Get(key) + 1);
    const bool full = filled_.Get(key) - told_.Get(key) == static_cast<uint64_t>(ring.chunk);
    if (full || (ring.far && SlotOf(ring, filled_.Get(key)) == 0)) Tell(f, key, ring);
  }
  PIPESCOPE_BOTH void Tell(Fabric& f, int key, const Ring& ring) {
    const uint64_t rows = filled_.Get(key) - told_.Get(key);
    if (rows == 0) return;
    if (ring.far) {
      const int64_t at = SlotOf(ring, told_.Get(key)) * ring.slot_bytes;
      f.Put(ring.to, ring.at + at, ring.stage + at, static_cast<int64_t>(rows) * ring.slot_bytes,
            ring.tail, rows);
    } else {
      f.Signal(ring.to, ring.tail, filled_.Get(key));
    }
    told_.Set(key, filled_.Get(key));
  }
  PIPESCOPE_BOTH void Close(Fabric& f, int key, const Ring& ring) {
    Tell(f, key, ring);
    f.SetCursor(ring.sent, filled_.Get(key));
  }

 private:
  static PIPESCOPE_BOTH int64_t SlotOf(const Ring& ring, uint64_t position) {
    return static_cast<int64_t>(position % static_cast<uint64_t>(ring.slots));
  }
  static PIPESCOPE_BOTH uint64_t Freed(Fabric& f, const Ring& ring) {
    return ring.far ? f.Counter(ring.head) : f.Flag(ring.head);
  }

  typename Fabric::Counters filled_, told_, freed_;
};

template <class Fabric>
class Readers {
 public:
  PIPESCOPE_BOTH void Open(Fabric& f, int key, const Ring& ring) {
    OpenAt(key, f.Cursor(ring.taken));
  }
  PIPESCOPE_BOTH void OpenAt(int key, uint64_t position) {
    taken_.Set(key, position);
    told_.Set(key, position);
    seen_.Set(key, position);
  }
  // Rows that may be taken now.
  PIPESCOPE_BOTH int Available(Fabric& f, int key, const Ring& ring) {
    if (seen_.Get(key) == taken_.Get(key)) {
      seen_.Set(key, ring.far ? f.Counter(ring.tail) : f.Flag(ring.tail));
    }
    return static_cast<int>(seen_.Get(key) - taken_.Get(key));
  }
  PIPESCOPE_BOTH const std::byte* Slot(Fabric& f, int key, const Ring& ring) {
    const uint64_t slot = taken_.Get(key) % static_cast<uint64_t>(ring.slots);
    return f.Own(ring.at + static_cast<int64_t>(slot) * ring.slot_bytes);
  }
  PIPESCOPE_BOTH uint64_t position(int key) const { return taken_.Get(key); }
  // Without telling the writer: where several warps read one ring, one of them does (Return).
  PIPESCOPE_BOTH void Skip(int key) { taken_.Set(key, taken_.Get(key) + 1); }
  PIPESCOPE_BOTH void Pop(Fabric& f, int key, const Ring& ring) {
    Skip(key);
    if (taken_.Get(key) - told_.Get(key) >= static_cast<uint64_t>(ring.chunk)) {
      Return(f, key, ring);
    }
  }
  PIPESCOPE_BOTH void Return(Fabric& f, int key, const Ring& ring) {
    const uint64_t rows = taken_.Get(key) - told_.Get(key);
    if (rows == 0) return;
    if (ring.far) {
      f.Add(ring.from, ring.head, rows);
    } else {
      f.Signal(ring.from, ring.head, taken_.Get(key));
    }
    told_.Set(key, taken_.Get(key));
  }
  PIPESCOPE_BOTH void Close(Fabric& f, int key, const Ring& ring) {
    Return(f, key, ring);
    f.SetCursor(ring.taken, taken_.Get(key));
  }

 private:
  typename Fabric::Counters taken_, told_, seen_;
};

}  // namespace pipescope::kernels::exchange
