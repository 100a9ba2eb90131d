"""Every .cu of the kernels: its kernels spill nothing, or it has none; and attention's use the
tensor cores.

A source that no listing covers fails: a new one must be added to LISTED or, where it launches
kernels of others only, to HOST.
"""

import glob
import re
import sys
import unittest

sys.path.insert(0, "tests/kernels")
import compiled

LISTED = {
    "kernels/cuda/gemm_kernel.cu": "kernels/cuda/gemm_kernel_listing",
    "kernels/cuda/interference.cu": "kernels/cuda/interference_listing",
    "kernels/cuda/peaks.cu": "kernels/cuda/peaks_listing",
    "kernels/cuda/quantize.cu": "kernels/cuda/quantize_listing",
    "kernels/exchange/gpu_exchange.cu": "kernels/exchange/gpu_exchange_listing",
    "kernels/exchange/nccl_exchange.cu": "kernels/exchange/nccl_exchange_listing",
    "kernels/train/cuda/arrays.cu": "kernels/train/arrays_listing",
    "kernels/train/cuda/attention.cu": "kernels/train/attention_listing",
    "kernels/train/cuda/train.cu": "kernels/train/cuda_listing",
}
# Host code: no kernel of their own.
HOST = {
    "kernels/cuda/cublaslt.cu",
    "kernels/cuda/gemm.cu",
    "kernels/cuda/linear.cu",
    "kernels/cuda/train_work.cu",
    "kernels/exchange/nccl_library.cu",
    "kernels/train/cuda/train_check.cu",
    "kernels/train/cuda/train_check_rows.cu",
    "kernels/transformer/device/gpu/cuda_kernels.cu",
    "kernels/transformer/device/gpu/cuda_queue.cu",
    "kernels/transformer/device/gpu/gpu_clock.cu",
    "kernels/transformer/device/gpu/gpu_device.cu",
    "kernels/transformer/device/gpu/green_context.cu",
    "kernels/transformer/device/gpu/nccl_link.cu",
    "kernels/transformer/device/gpu/shared_gpu.cu",
}
TRIVIAL = {"kernels/device.cu"}  # one empty kernel
# Spilled bytes that are allowed, and why. The pass over keys of 192 channels holds 160 sums and 32
# scores a lane, and is at the most registers that a thread can have: a loop's bound goes to memory
# once for 32 queries.
ALLOWED = {r"KeyPassKernelILi192ELi128E": 16}
FLAGS = ("--cuda", "--nccl")


def allowed(kernel):
    return max((b for pattern, b in ALLOWED.items() if re.search(pattern, kernel)), default=0)


class Sources(unittest.TestCase):
    def test_every_source_is_looked_into(self):
        found = set(glob.glob("kernels/**/*.cu", recursive=True))
        self.assertEqual(found, set(LISTED) | HOST | TRIVIAL)

    def test_host_code_has_no_kernels(self):
        for source in HOST:
            self.assertNotIn("__global__", compiled.read(source), source)
        self.assertEqual(compiled.read("kernels/device.cu").count("__global__"), 1)


@unittest.skipUnless("--cuda" in sys.argv, "built without CUDA")
class Compiled(unittest.TestCase):
    def listings(self):
        for source, listing in LISTED.items():
            if "nccl" not in source or "--nccl" in sys.argv:
                yield source, listing

    def test_nothing_is_spilled(self):
        for source, listing in self.listings():
            spilled = compiled.spills(compiled.read(listing + ".txt"))
            kernels = compiled.entries(compiled.read(listing + ".ptx"))
            self.assertEqual(set(spilled), set(kernels), source)
            self.assertGreater(len(kernels), 0, source)
            for kernel, sizes in spilled.items():
                self.assertLessEqual(max(sizes), allowed(kernel), kernel)

    def test_exceptions_are_needed(self):
        """An exception that nothing needs any more is to be deleted."""
        all_spills = {}
        for _, listing in self.listings():
            all_spills |= compiled.spills(compiled.read(listing + ".txt"))
        for pattern in ALLOWED:
            needed = [k for k, sizes in all_spills.items() if re.search(pattern, k) and max(sizes)]
            self.assertTrue(needed, pattern)

    def test_attention_multiplies_on_tensor_cores(self):
        kernels = compiled.entries(compiled.read("kernels/train/attention_listing.ptx"))
        self.assertEqual(len(kernels), 6)  # forward and two passes backward, two widths
        for name, body in kernels.items():
            products = body.count("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32")
            loads = len(re.findall(r"ldmatrix\.sync\.aligned\.m8n8\.x4\.(?:trans\.)?shared", body))
            self.assertGreaterEqual(products, 100, name)
            # One load for the left operand of all, or four for two products of 16 columns.
            self.assertLessEqual(loads, products, name)
            self.assertGreaterEqual(len(re.findall(r"ld\.global[.\w]*\.v4", body)), 3, name)
            self.assertGreaterEqual(len(re.findall(r"st\.global[.\w]*\.v4", body)), 1, name)
            self.assertNotRegex(body, r"ld\.local|st\.local")


if __name__ == "__main__":
    unittest.main(argv=[argument for argument in sys.argv if argument not in FLAGS])
