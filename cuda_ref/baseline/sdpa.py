#!/usr/bin/env python3
"""Times PyTorch's fused attention (flash, cuDNN, memory-efficient) on one layer's shape, by the method of baseline.h.

Exit code 3 with one line when torch, or a GPU that it can use, is not there. Values are random: dense time does not
depend on them; every backend's output is held against float64 before it is timed.
"""
import argparse
import ctypes
import json
import statistics
import sys
import time

TOLERANCE = {"fp16": 5e-3, "bf16": 3e-2}


class Power:
    """Watts and joules from NVML, loaded at run time; watts() is None where it is not there."""

    def __init__(self, bus_id):
        self.device = ctypes.c_void_p()
        try:
            self.nvml = ctypes.CDLL("libnvidia-ml.so.1")
            found = self.nvml.nvmlInit_v2() == 0 and self.nvml.nvmlDeviceGetHandleByPciBusId_v2(
                bus_id.encode(), ctypes.byref(self.device)) == 0
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
        return "%08x:%02x:%02x.0" % (p.pci_domain_id, p.pci_bus_id, p.pci_device_id)
    return "0000:00:00.0"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("heads", "kv-heads", "rows", "keys", "head-dim", "runs", "l2-bytes"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--batches", required=True)
    parser.add_argument("--causal", action="store_true")
    parser.add_argument("--energy-seconds", type=float, default=2.0)
    parser.add_argument("-o", "--output", required=True)
    return parser.parse_args()


def main():
    a = arguments()
    try:
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError as e:
        print("sdpa: torch is not there: %s" % e, file=sys.stderr)
        return 3
    if not torch.cuda.is_available():
        print("sdpa: torch %s sees no GPU" % torch.__version__, file=sys.stderr)
        return 3
    power = Power(bus_id(torch))
    idle = power.window(a.energy_seconds, lambda: time.sleep(0.02))[0] if power.watts() else 0.0
    backends = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION,
                "memory-efficient": SDPBackend.EFFICIENT_ATTENTION}
    measured, refused = [], []
    torch.manual_seed(1)
    for batch in (int(b) for b in a.batches.split(",")):
        for dtype_name, dtype in (("fp16", torch.float16), ("bf16", torch.bfloat16)):
            size = 2 * a.head_dim * batch * (2 * a.heads * a.rows + 2 * a.kv_heads * a.keys)
            sets = min(256, 2 * a.l2_bytes // size + 2)

            def tensor(heads, rows):
                return torch.randn(sets, batch, heads, rows, a.head_dim, device="cuda").to(dtype)

            q, k, v = tensor(a.heads, a.rows), tensor(a.kv_heads, a.keys), tensor(a.kv_heads, a.keys)
            group = a.heads // a.kv_heads

            def expected():
                kk = k[0].double().repeat_interleave(group, 1)
                vv = v[0].double().repeat_interleave(group, 1)
                s = q[0].double() @ kk.transpose(-1, -2) * a.scale
                if a.causal:
                    s = s.masked_fill(torch.ones(a.rows, a.keys, device="cuda").tril().logical_not(), float("-inf"))
                return s.softmax(-1) @ vv

            want = expected()
            for name, backend in backends.items():
                def run(i):
                    return torch.nn.functional.scaled_dot_product_attention(
                        q[i], k[i], v[i], is_causal=a.causal, scale=a.scale, enable_gqa=group > 1)
                try:
                    with sdpa_kernel([backend]):
                        error = ((run(0).double() - want).abs().max() / want.abs().max()).item()
                        if not error <= TOLERANCE[dtype_name]:
                            print("sdpa: %s %s: output off by %g" % (name, dtype_name, error), file=sys.stderr)
                            return 1
                        for cold in (True, False):
                            launches = sets if cold else min(sets, 20)
                            for i in range(3):
                                run(i % sets)
                            torch.cuda.synchronize()
                            graph = torch.cuda.CUDAGraph()
                            with torch.cuda.graph(graph):
                                for i in range(launches):
                                    run(i if cold else 0)
                            for _ in range(a.runs // 10 + 1):
                                graph.replay()
                            samples = []
                            for _ in range(a.runs):
                                start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
                                start.record()
                                graph.replay()
                                stop.record()
                                stop.synchronize()
                                samples.append(start.elapsed_time(stop) * 1e-3 / launches)
                            burst = max(1, int(0.02 / (statistics.median(samples) * launches)))

                            def work():
                                for _ in range(burst):
                                    graph.replay()
                                torch.cuda.synchronize()

                            watts, seconds, repeats = power.window(a.energy_seconds, work) if idle else (0.0, 0.0, 1)
                            measured.append({
                                "kernel": "fused, PyTorch " + name, "dtype": dtype_name, "batch": batch,
                                "cache": "cold" if cold else "warm", "samples": samples, "watts": watts,
                                "idle_watts": idle, "window_seconds": seconds, "error": error,
                                "joules": max(0.0, (watts - idle) * seconds / (repeats * burst * launches))})
                except (RuntimeError, TypeError) as e:
                    refused.append("%s %s batch %d: %s" % (name, dtype_name, batch, str(e).splitlines()[0]))
    for line in refused:
        print("sdpa: not run: " + line, file=sys.stderr)
    with open(a.output, "w") as f:
        json.dump({"torch": torch.__version__, "device": torch.cuda.get_device_name(0), "measured": measured,
                   "refused": refused}, f)
    return 0 if measured else 3


if __name__ == "__main__":
    sys.exit(main())
