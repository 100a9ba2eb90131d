"""What nvcc made of the training kernels: nothing spilled, rows in pieces of 16 bytes.

As exchange_compiled_test.py, from PTX and what ptxas says.
"""

import re
import sys
import unittest

sys.path.insert(0, "tests/kernels")
import compiled

LISTING = "kernels/train/cuda_listing"
# Bodies that walk rows, and how many loads and stores of 16 bytes each must have at least.
ROWS = {
    "RmsNormBody": (3, 1),
    "RmsNormInputGradientBody": (5, 1),
    "RmsNormSliceBody": (2, 0),
    "MtpJoinBody": (2, 1),
    "MtpJoinInputGradientBody": (5, 1),
    "SwiGluBody": (2, 1),
    "SwiGluInputGradientBody": (3, 3),
    "RopeBody": (1, 1),
    "CrossEntropyBody": (3, 1),
    "GatherBody": (1, 1),
    "AddBody": (2, 1),
    "SumOfRowsBody": (1, 1),
    "UnpermuteGradientBody": (2, 1),
    "EmbeddingGradientBody": (1, 0),
    "AdamWBody": (2, 1),
}


def read(ending):
    return compiled.read(LISTING + ending)


@unittest.skipUnless("--cuda" in sys.argv, "built without CUDA")
class Compiled(unittest.TestCase):
    def test_nothing_is_spilled(self):
        said = read(".txt")
        spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill", said)
        self.assertEqual(len(spills), len(ROWS) + 3)  # the router's two, and SumPartialsBody
        self.assertEqual({("0", "0")}, set(spills), said)
        registers = [int(n) for n in re.findall(r"Used (\d+) registers", said)]
        self.assertLessEqual(max(registers), 64)  # 1024 threads an SM

    def test_rows_move_in_16_bytes(self):
        kernels = compiled.entries(read(".ptx"))
        for body, (loads, stores) in ROWS.items():
            found = [text for name, text in kernels.items() if re.search(r"\d" + body + "E", name)]
            self.assertEqual(len(found), 1, body)
            self.assertGreaterEqual(len(re.findall(r"ld\.global[.\w]*\.v4", found[0])), loads, body)
            self.assertGreaterEqual(len(re.findall(r"st\.global[.\w]*\.v4", found[0])), stores, body)
            single = re.findall(r"(?:ld|st)\.global(?!\.v4)[.\w]*\.[ub]16", found[0])
            self.assertEqual(single, [], body)


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument != "--cuda"])
