#!/usr/bin/env python3
"""Times PyTorch's fused attention (flash, cuDNN, memory-efficient) on one layer's shape, by the method of baseline.h:
dense, and over the tokens that a policy chose, gathered first (the gather is in the time).

Exit code 3 with one line when torch, or a GPU that it can use, is not there. Values are random: time does not depend on
them; every backend's output is held against float64 before it is timed.
"""

import argparse
import ctypes
import itertools
import json
import os
import pathlib
import statistics
import sys
import time

MOST_OPERANDS, MOST_SETS, MOST_LAUNCHES = 2 << 30, 1 << 16, 256
TOLERANCE = {"fp16": 5e-3, "bf16": 3e-2}


class Power:
    """Watts and joules from NVML, loaded at run time; watts() is None where it is not there."""

    def __init__(self, bus_id):
        self.device = ctypes.c_void_p()
        try:
            self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
            found = (
                self.nvml.nvmlInit_v2() == 0
                and self.nvml.nvmlDeviceGetHandleByPciBusId_v2(bus_id.encode(), ctypes.byref(self.device)) == 0
            )
        except OSError:
            found = False
        if not found:
            self.nvml = None

    def watts(self):
        value = ctypes.c_uint()
        if self.nvml is None or self.nvml.nvmlDeviceGetPowerUsage(self.device, ctypes.byref(value)) != 0:
            return None
        return value.value * 1e-3

    def joules(self):
        value = ctypes.c_ulonglong()
        if self.nvml is None or self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.device, ctypes.byref(value)) != 0:
            return 0.0
        return value.value * 1e-3

    def megahertz(self, which):
        """Clock of the multiprocessors (1) or the memory (2), now."""
        value = ctypes.c_uint()
        if self.nvml is None or self.nvml.nvmlDeviceGetClockInfo(self.device, which, ctypes.byref(value)) != 0:
            return 0
        return value.value

    def window(self, seconds, work):
        """Mean watts while work() repeats for the window; (watts, seconds, repeats)."""
        readings, repeats, before, start = [], 0, self.joules(), time.monotonic()
        while True:
            work()
            repeats += 1
            readings.append(self.watts() or 0.0)
            elapsed = time.monotonic() - start
            if elapsed >= seconds:
                break
        used = self.joules() - before
        return (used / elapsed if used > 0 else statistics.fmean(readings)), elapsed, repeats


def bus_id(torch):
    p = torch.cuda.get_device_properties(0)
    if hasattr(p, "pci_bus_id"):
        return f"{p.pci_domain_id:08x}:{p.pci_bus_id:02x}:{p.pci_device_id:02x}.0"
    return "0000:00:00.0"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("heads", "kv-heads", "rows", "keys", "head-dim", "runs", "l2-bytes"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--batches", required=True)
    parser.add_argument("--causal", action="store_true")
    parser.add_argument("--chosen", help='JSON: {"lists": [tokens of KV head 0, of 1, ...]}; none: dense only')
    parser.add_argument("--seconds", type=float, default=600, help="begin no measurement after that")
    parser.add_argument("--energy-seconds", type=float, default=2.0)
    parser.add_argument("-o", "--output", required=True)
    return parser.parse_args()


def padded(lists, keys):
    """Rows of a [KV heads * keys] table, a row a KV head, padded with its token 0 to the longest list (a multiple of 8
    where lists differ, as masks want it); and which entries are padding, or None when none is."""
    longest = max(len(one) for one in lists)
    even = all(len(one) == longest for one in lists)
    width = longest if even else -(-longest // 8) * 8
    rows = [[kv * keys + t for t in one] + [kv * keys] * (width - len(one)) for kv, one in enumerate(lists)]
    return rows, None if even else [[i >= len(one) for i in range(width)] for one in lists]


def touched_bytes(a, batch, lists):
    """Bytes that a run touches, 2 an element: queries, result, and the rows of K and V that it reads, each once."""
    kv_rows = sum(len(one) for one in lists) if lists else a.kv_heads * a.keys
    return 2 * a.head_dim * batch * (2 * a.heads * a.rows + 2 * kv_rows)


def rotation(touched, stored, l2_bytes):
    """Sets of buffers for a cold L2, graphs, launches a graph, and whether L2 is cold then: the rule of sets.h."""
    wanted = 2 * l2_bytes // touched + 2
    sets = max(2, min(wanted, MOST_SETS, MOST_OPERANDS // stored))
    graphs = -(-sets // MOST_LAUNCHES)
    launches = -(-sets // graphs)
    sets = graphs * launches
    return sets, graphs, launches, (sets - 1) * touched > 2 * l2_bytes


class Problem:
    """Operands in `sets` copies; run(i) computes set i, dense or over chosen tokens."""

    def __init__(self, torch, a, batch, dtype, lists):
        self.torch, self.a, self.batch, self.group = torch, a, batch, a.heads // a.kv_heads
        self.sets, self.graphs, self.launches, self.cold = rotation(
            touched_bytes(a, batch, lists), touched_bytes(a, batch, []), a.l2_bytes
        )

        def tensor(heads, rows):
            return torch.randn(self.sets, batch, heads, rows, a.head_dim, device="cuda").to(dtype)

        self.q, self.k, self.v = tensor(a.heads, a.rows), tensor(a.kv_heads, a.keys), tensor(a.kv_heads, a.keys)
        self.index = self.mask = None
        if lists:
            rows, padding = padded(lists, a.keys)
            self.index = torch.tensor(rows, device="cuda").flatten()
            if padding:
                # As numbers: a mask of booleans would be converted in every run.
                off = torch.tensor(padding, device="cuda").repeat_interleave(self.group, 0)[None, :, None, :]
                self.mask = torch.zeros(off.shape, device="cuda", dtype=dtype).masked_fill(off, float("-inf"))
                self.mask = self.mask.expand(batch, a.heads, a.rows, -1)

    def gathered(self, x):
        rows = x.reshape(self.batch, self.a.kv_heads * self.a.keys, self.a.head_dim)
        return rows.index_select(1, self.index).reshape(self.batch, self.a.kv_heads, -1, self.a.head_dim)

    def run(self, i):
        k, v = self.k[i], self.v[i]
        if self.index is not None:
            k, v = self.gathered(k), self.gathered(v)
        return self.torch.nn.functional.scaled_dot_product_attention(
            self.q[i],
            k,
            v,
            attn_mask=self.mask,
            is_causal=self.a.causal and self.index is None,
            scale=self.a.scale,
            enable_gqa=self.group > 1,
        )

    def expected(self, lists):
        """Set 0 in float64, straight from the definition."""
        torch, a = self.torch, self.a
        kk = self.k[0].double().repeat_interleave(self.group, 1)
        vv = self.v[0].double().repeat_interleave(self.group, 1)
        s = self.q[0].double() @ kk.transpose(-1, -2) * a.scale
        if lists:
            seen = torch.zeros(a.kv_heads, a.keys, dtype=torch.bool, device="cuda")
            for kv, one in enumerate(lists):
                seen[kv, one] = True
            s = s.masked_fill(seen.logical_not().repeat_interleave(self.group, 0)[None, :, None, :], float("-inf"))
        elif a.causal:
            s = s.masked_fill(torch.ones(a.rows, a.keys, device="cuda").tril().logical_not(), float("-inf"))
        return s.softmax(-1) @ vv


def measure(torch, a, problem, power, idle, cold):
    launches = problem.launches if cold else min(problem.sets, 20)
    for i in range(3):
        problem.run(i % problem.sets)
    torch.cuda.synchronize()
    graphs, outputs, pool = [], [], torch.cuda.graph_pool_handle()
    for first in range(0, problem.sets if cold else launches, launches):
        graphs.append(torch.cuda.CUDAGraph())
        with torch.cuda.graph(graphs[-1], pool=pool):
            # Results are kept, so that with L2 cold each set has its own.
            if cold:
                outputs += [problem.run(first + i) for i in range(launches)]
            else:
                for _ in range(launches):
                    problem.run(0)
    order = itertools.cycle(graphs)

    def replay():
        """The next graph, round and round."""
        next(order).replay()

    # Each graph once at the least: its first launch also brings it onto the device.
    for _ in range(max(a.runs // 10 + 1, len(graphs))):
        replay()
    samples = []
    for _ in range(a.runs):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        replay()
        stop.record()
        stop.synchronize()
        samples.append(start.elapsed_time(stop) * 1e-3 / launches)
    burst = max(1, int(0.02 / (statistics.median(samples) * launches)))
    clocks = [0, 0]

    def work():
        for _ in range(burst):
            replay()
        torch.cuda.synchronize()
        clocks[:] = power.megahertz(1), power.megahertz(2)

    watts, seconds, repeats = power.window(a.energy_seconds, work) if idle else (0.0, 0.0, 1)
    return {
        "cache": "cold" if cold else "warm",
        "sets": problem.sets if cold else 1,
        "samples": samples,
        "watts": watts,
        "idle_watts": idle,
        "window_seconds": seconds,
        "sm_megahertz": clocks[0],
        "memory_megahertz": clocks[1],
        "joules": max(0.0, (watts - idle) * seconds / (repeats * burst * launches)),
    }


def main():
    a = arguments()
    deadline = time.monotonic() + a.seconds
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError as e:
        print(f"sdpa: torch is not there: {e}", file=sys.stderr)
        return 3
    if not torch.cuda.is_available():
        print(f"sdpa: torch {torch.__version__} sees no GPU", file=sys.stderr)
        return 3
    lists = json.loads(pathlib.Path(a.chosen).read_text())["lists"] if a.chosen else []
    power = Power(bus_id(torch))
    idle = power.window(a.energy_seconds, lambda: time.sleep(0.02))[0] if power.watts() else 0.0
    backends = {
        "flash": SDPBackend.FLASH_ATTENTION,
        "cudnn": SDPBackend.CUDNN_ATTENTION,
        "memory-efficient": SDPBackend.EFFICIENT_ATTENTION,
    }
    measured, refused, wrong = [], [], []
    torch.manual_seed(1)
    kinds = [("fp16", torch.float16, []), ("bf16", torch.bfloat16, [])]
    if lists:
        kinds.append(("fp16", torch.float16, lists))

    def keep():
        """What there is so far: a stop from outside loses no more than one measurement."""
        with open(a.output + ".part", "w") as f:
            json.dump(
                {
                    "torch": torch.__version__,
                    "device": torch.cuda.get_device_name(0),
                    "measured": measured,
                    "refused": refused,
                    "wrong": wrong,
                },
                f,
            )
        os.replace(a.output + ".part", a.output)

    for dtype_name, dtype, chosen in kinds:
        for batch in (int(b) for b in a.batches.split(",")):
            problem = Problem(torch, a, batch, dtype, chosen)
            want = problem.expected(chosen)
            for name, backend in backends.items():
                kernel = ("gathered sparse, " if chosen else "") + "fused, PyTorch " + name
                label = f"{kernel} {dtype_name} batch {batch}"
                try:
                    with torch.no_grad(), sdpa_kernel([backend]):
                        error = ((problem.run(0).double() - want).abs().max() / want.abs().max()).item()
                        if not error <= TOLERANCE[dtype_name]:
                            wrong.append(f"{label}: output is off by {error:g} of the largest value")
                            continue
                        for cold in (True, False):
                            if cold and not problem.cold:
                                refused.append(
                                    f"{label}, cold: L2 would not be: more sets of buffers than there may be"
                                )
                                continue
                            if time.monotonic() > deadline:
                                refused.append("{}, {}: out of time".format(label, "cold" if cold else "warm"))
                                continue
                            one = measure(torch, a, problem, power, idle, cold)
                            one.update(
                                kernel=kernel,
                                dtype=dtype_name,
                                batch=batch,
                                sparse=bool(chosen),
                                error=error,
                                compared=want.numel(),
                            )
                            measured.append(one)
                            keep()
                except (RuntimeError, TypeError) as e:
                    refused.append(f"{label}: {str(e).splitlines()[0]}")
            del problem, want
    keep()
    return 0


if __name__ == "__main__":
    sys.exit(main())
