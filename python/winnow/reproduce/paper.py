"""What the paper reports: Wang, Zhang, Han, "SpAtten", HPCA 2021, arXiv 2012.09852v3. Every figure stands here once.

Those about the GPU are in cuda_ref/results/titan-xp-reported.json, which reported() reads."""

import functools
import json

from winnow.reproduce.places import ROOT

ABSTRACT = "abstract"
EVALUATION = "V, evaluation"
COMPARISON = "V, comparison with A3 and MNNFast"

# Reductions, as factors.
TOKENS_AND_VALUES = 1.9  # over 30 benchmarks
TOKENS_AND_VALUES_GPT2 = 3.8
HEADS = 1.1
QUANTIZATION = 5.1
DRAM_ACCESS = 10.0
COMPUTATION = 2.1

AREA = {"spatten": 18.71, "spatten-eighth": 1.55, "a3": 2.08}  # mm2, 40 nm
POWER = {"logic": 1.36, "storage": 1.24, "memory": 5.71, "all": 8.30}  # W
TOPK_OF_AREA, TOPK_OF_POWER = 2.7, 1.0  # %; of power: on the chip

# 128 multipliers, 64 GB/s, 40 nm.
GOPS = {"mnnfast": 120, "a3": 221, "spatten-eighth": 360}
GOPJ = {"mnnfast": 120, "a3": 269, "spatten-eighth": 382}

ROOFLINE = {"peak": 2.0, "bert": 1.61, "gpt2": 0.43}  # TFLOPS
TOPK_SATURATES_AT = 16  # comparators a side
SRAM_KB = 196  # K; beyond it almost nothing is gained

SELECT_OVER_SORTER = {"throughput": 1.4, "power": 3.5}  # n 1,024, k n/2
REFETCH = 5.9  # % of inputs that need LSBs


@functools.cache
def reported():
    """The figures about TITAN Xp."""
    return json.loads((ROOT / "cuda_ref/results/titan-xp-reported.json").read_text(encoding="utf-8"))
