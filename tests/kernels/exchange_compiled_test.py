"""What nvcc made of the exchange's kernels: nothing spilled, rows in pieces of 16 bytes.

Widths are read from PTX: ptxas keeps those of explicit vector accesses (ld.global.v4.u32 is
LDG.128), and the disassembler is not part of every toolkit.
"""

import os
import re
import sys
import unittest

sys.path.insert(0, "tests/kernels")
import compiled

FOLDER = "kernels/exchange"
FLAGS = ("--cuda", "--nccl")
KERNELS = ("LayOutKernel", "NotifyKernel", "RolesKernel")


def read(name):
    return compiled.read(os.path.join(FOLDER, name))


@unittest.skipUnless("--cuda" in sys.argv, "built without CUDA")
class Compiled(unittest.TestCase):
    def test_nothing_is_spilled(self):
        said = read("gpu_exchange_listing.txt")
        spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill", said)
        self.assertEqual(len(spills), 8)  # three kernels, the last in two directions, two scopes
        self.assertEqual({("0", "0")}, set(spills), said)
        registers = [int(n) for n in re.findall(r"Used (\d+) registers", said)]
        self.assertLessEqual(max(registers), 128)  # 16 warps of 32 lanes share 65536

    @unittest.skipUnless("--nccl" in sys.argv, "built without NCCL")
    def test_nothing_is_spilled_over_nccl(self):
        said = read("nccl_exchange_listing.txt")
        spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", said)
        self.assertEqual(len(spills), 8)  # the protocol's four, and four around send and receive
        self.assertEqual({("0", "0")}, set(spills), said)
        for name, body in compiled.entries(read("nccl_exchange_listing.ptx")).items():
            if "RolesKernel" in name:
                self.assertGreater(len(body.splitlines()), 1000, name)
                self.assertGreaterEqual(body.count("st.global.L1::no_allocate.v4.u32"), 8, name)

    def test_roles_are_there(self):
        """A kernel from which the compiler has dropped the roles would pass all else."""
        for name, body in compiled.entries(read("gpu_exchange_listing.ptx")).items():
            self.assertTrue(any(kernel in name for kernel in KERNELS), name)
            if "RolesKernel" in name:
                self.assertGreater(len(body.splitlines()), 1000, name)

    def test_rows_move_in_16_bytes(self):
        for name, body in compiled.entries(read("gpu_exchange_listing.ptx")).items():
            if "RolesKernel" not in name:
                continue
            self.assertGreaterEqual(body.count("ld.global.L1::no_allocate.v4.u32"), 8, name)
            self.assertGreaterEqual(body.count("st.global.L1::no_allocate.v4.u32"), 8, name)

    def test_flags_are_released_and_acquired_in_their_scope(self):
        scopes = set()
        for name, body in compiled.entries(read("gpu_exchange_listing.ptx")).items():
            if "RolesKernel" not in name:
                continue
            acquired = set(re.findall(r"ld\.acquire\.(\w+)\.global", body))
            released = set(re.findall(r"(?:st|red)\.release\.(\w+)\.global", body))
            self.assertEqual(len(acquired), 1, name)
            self.assertEqual(acquired, released, name)
            scopes |= acquired
        self.assertEqual(scopes, {"gpu", "sys"})


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument not in FLAGS])
