"""What nvcc made of the FP8 kernels: tensor cores, TMA, 16-byte accesses, nothing spilled.

Read from PTX and from what ptxas says: the disassembler is not part of every toolkit. A wgmma of
e4m3 in PTX for sm_90a is QGMMA in machine code, there being no other instruction for it.
"""

import os
import re
import sys
import unittest

sys.path.insert(0, "tests/kernels")
import compiled

FOLDER = "kernels/cuda"
GEMMS = 8  # three layouts, dense with both kinds of b; two widths each


def read(name):
    return compiled.read(os.path.join(FOLDER, name))


@unittest.skipUnless("--cuda" in sys.argv, "built without CUDA")
class Compiled(unittest.TestCase):
    def test_nothing_is_spilled(self):
        for name, kernels in {"gemm_kernel": GEMMS, "quantize": 12, "peaks": 5}.items():
            said = read(f"{name}_listing.txt")
            spills = re.findall(r"(\d+) bytes spill stores, (\d+) bytes spill loads", said)
            self.assertEqual(len(spills), kernels, name)
            self.assertEqual({("0", "0")}, set(spills), said)
            self.assertNotIn("serialized", said)  # wgmma that must wait for registers

    def test_gemms_use_tensor_cores_and_tma(self):
        bodies = compiled.entries(read("gemm_kernel_listing.ptx"))
        self.assertEqual(len(bodies), GEMMS)
        for name, body in bodies.items():
            shapes = re.findall(r"wgmma\.mma_async\.sync\.aligned\.(\w+)\.f32\.e4m3\.e4m3", body)
            self.assertEqual(len(shapes), 4, name)  # 128 of k between promotions
            self.assertEqual(len(set(shapes)), 1, name)
            self.assertIn(shapes[0], ("m64n64k32", "m64n128k32"))
            loads = body.count("cp.async.bulk.tensor.2d.shared::cluster.global")
            self.assertTrue(loads >= 2 and loads % 2 == 0, name)  # of a and b; the loop is unrolled
            self.assertIn("cp.async.bulk.tensor.3d.global.shared::cta", body, name)
            self.assertIn("setmaxnreg.dec", body, name)
            self.assertIn("setmaxnreg.inc", body, name)
            width = 128 if shapes[0] == "m64n128k32" else 64
            promoted = len(re.findall(r"\bfma\.rn\.f32", body))
            self.assertGreaterEqual(promoted, width // 2, name)
            # Results leave by TMA, operands come by it: nothing else touches global memory but
            # scales of blocks and offsets of groups.
            self.assertNotIn("st.global", body, name)

    def test_gemms_leave_registers_for_three_warpgroups(self):
        registers = re.findall(r"Used (\d+) registers", read("gemm_kernel_listing.txt"))
        self.assertEqual(set(registers), {"168"})  # 65536 / 384, in eights

    def test_quantisers_access_16_bytes(self):
        for name, body in compiled.entries(read("quantize_listing.ptx")).items():
            self.assertRegex(body, r"ld\.global\.cs\.v4\.u32|ld\.global\.cs\.v4", name)
            self.assertRegex(body, r"st\.global(\.cs)?\.v4", name)
            narrow = re.findall(r"ld\.global[\w.:]*\.(?:u8|u16|b8|b16|b32|u32|f32)\b", body)
            wide = [load for load in narrow if ".v4." in load]
            self.assertEqual(narrow, wide, name)
            self.assertIn("cvt.rn.satfinite.e4m3x2.f32", body, name)

    def test_copies_access_16_bytes(self):
        for listing in ("peaks", "interference"):
            for name, body in compiled.entries(read(f"{listing}_listing.ptx")).items():
                if "CopyKernel" in name or "CommunicationKernel" in name:
                    self.assertGreaterEqual(len(re.findall(r"ld\.global\.cs\.v4", body)), 4, name)
                    self.assertGreaterEqual(len(re.findall(r"st\.global\.cs\.v4", body)), 4, name)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--cuda"])
