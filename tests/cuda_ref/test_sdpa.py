"""sdpa.py as far as it goes without torch: the table of gathered rows, and what it says when torch is not there."""

import argparse
import os
import subprocess
import sys
import tempfile
import unittest

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cuda_ref", "baseline")
sys.dont_write_bytecode = True
sys.path.insert(0, BASELINE)
import sdpa  # noqa: E402


class Padded(unittest.TestCase):
    def test_lists_of_one_length_need_no_mask(self):
        rows, padding = sdpa.padded([[1, 2, 9], [0, 4, 5]], 10)
        self.assertEqual(rows, [[1, 2, 9], [10, 14, 15]])
        self.assertIsNone(padding)

    def test_shorter_lists_are_padded_and_masked(self):
        rows, padding = sdpa.padded([[3], [0, 1, 2, 4, 5, 6, 7, 8, 9]], 10)
        self.assertEqual([len(row) for row in rows], [16, 16])  # a multiple of 8
        self.assertEqual(rows[0], [3] + [0] * 15)
        self.assertEqual(rows[1][:9], [10, 11, 12, 14, 15, 16, 17, 18, 19])
        self.assertEqual(rows[1][9:], [10] * 7)
        self.assertEqual([sum(not off for off in row) for row in padding], [1, 9])
        self.assertEqual(padding[1], [False] * 9 + [True] * 7)


class Sets(unittest.TestCase):
    L2 = 50 << 20

    def test_before_a_set_comes_again_more_than_twice_l2_went_by(self):
        touched = 64
        while touched < 4e9:
            for over in (1, 8, 500):
                sets, graphs, launches, cold = sdpa.rotation(touched, touched * over, self.L2)
                self.assertEqual(sets, graphs * launches)
                self.assertLessEqual(launches, 256)
                self.assertEqual(cold, (sets - 1) * touched > 2 * self.L2)
                self.assertTrue(sets == 2 or (sets - graphs) * touched * over <= 2 << 30)
                self.assertTrue(cold or sets + graphs >= 1 << 16 or (sets + 1) * touched * over > 2 << 30)
            touched = touched * 17 // 10

    def test_small_operands_have_more_sets_than_a_graph_has_launches(self):
        a = argparse.Namespace(heads=9, kv_heads=3, rows=1, keys=160, head_dim=64)
        dense = sdpa.touched_bytes(a, 1, [])
        self.assertEqual(dense, 2 * 64 * (2 * 3 * 160 + 2 * 9))
        self.assertEqual(sdpa.rotation(dense, dense, self.L2), (840, 4, 210, True))

    def test_of_k_and_v_only_chosen_rows_count(self):
        a = argparse.Namespace(heads=9, kv_heads=3, rows=1, keys=160, head_dim=64)
        self.assertEqual(sdpa.touched_bytes(a, 4, [[0, 1], [5], [7, 8, 9]]), 4 * 2 * 64 * (2 * 6 + 2 * 9))


class WithoutTorch(unittest.TestCase):
    def test_one_line_and_code_3(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "torch.py"), "w") as f:
                f.write("raise ImportError('not here')\n")
            words = [
                "--heads",
                "2",
                "--kv-heads",
                "2",
                "--rows",
                "1",
                "--keys",
                "8",
                "--head-dim",
                "64",
                "--runs",
                "10",
                "--l2-bytes",
                "1",
                "--scale",
                "1",
                "--batches",
                "1",
                "-o",
            ] + [os.path.join(folder, "out.json")]
            run = subprocess.run(
                [sys.executable, os.path.join(BASELINE, "sdpa.py")] + words,
                text=True,
                env=dict(os.environ, PYTHONPATH=folder, PYTHONDONTWRITEBYTECODE="1"),
                stderr=subprocess.PIPE,
            )
            self.assertEqual(run.returncode, 3)
            self.assertEqual(run.stderr, "sdpa: torch is not there: not here\n")
            self.assertFalse(os.path.exists(os.path.join(folder, "out.json")))


if __name__ == "__main__":
    unittest.main()
