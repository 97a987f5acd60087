"""(3) Speed and energy against a GPU."""

from winnow.report.figures import a_layer
from winnow.report.stored_run import load_runs
from winnow.reproduce import paper, places, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table

LONGEST = 1024  # tokens that machine `spatten` holds
OURS = [("spatten", "dense"), ("spatten", "spatten"), ("winnow", "winnow")]
# By its data sheet.
TITAN_XP_BANDWIDTH, TITAN_XP_FP32 = 547.6e9, 12.15e12
NAIVE = "naive_unfused_fp32_batch_1_cold"


def measured():
    """Stored folders of `winnow gpu` whose sentence the machine holds. None where no device was measured."""
    folders = sorted(path.parent for path in places.GPUS.glob("*/*/manifest.json"))
    runs = load_runs(folders)
    return [run for run in runs if int(_shape(run)["tokens"]) <= LONGEST]


def _shape(run):
    return dict(word.split("=") for word in run.manifest["trace"].partition(":")[2].split(","))


def a_token(heads, kv_heads, tokens, layers):
    """[(device, sequences together, seconds, joules over idle)] of a token's attention, where one measured decode in
    this shape: one layer of the fastest fused kernel, times the layers."""
    made = []
    for run in measured():
        shape = _shape(run)
        if run.manifest["options"]["mode"] != "decode" or [
            int(shape[key]) for key in ("heads", "kv_heads", "tokens")
        ] != [heads, kv_heads, tokens]:
            continue
        found = [(1, run.value("summary.time_a_layer"), run.value("summary.energy_a_layer_gpu"))]
        found += [
            (
                int(one.key.removeprefix("time_a_sequence_batch_")),
                one.value,
                run.value(f"summary.{one.key.replace('time', 'energy')}_gpu"),
            )
            for one in run.result.summary
            if one.key.startswith("time_a_sequence_batch_")
        ]
        made += [(run.machine, batch, layers * seconds, joules and layers * joules) for batch, seconds, joules in found]
    return made


def on_ours(m, gpu):
    """[(machine, policy, run)] of the trace that the GPU had; policy `winnow` selects in decode alone."""
    decode = gpu.manifest["options"]["mode"] == "decode"
    made = []
    for machine, policy in OURS:
        policy = policy if decode or policy != "winnow" else "spatten"
        options = {"steps": (1, 1)} if decode else {}
        made.append((machine, policy, m.run(gpu.manifest["trace"], machine, policy, **options)))
    return made


def because(gpu):
    """Why the figure is another than over TITAN Xp."""
    if gpu.manifest["options"]["mode"] == "decode":
        more = float(gpu.setting("machine.peak_bytes_per_second")) / TITAN_XP_BANDWIDTH
        return f"this GPU has {more:.1f} times the bandwidth of TITAN Xp, and its kernels are launched without PyTorch"
    more = float(gpu.setting("machine.peak_fp32_per_second")) / TITAN_XP_FP32
    return (
        f"this GPU multiplies {more:.1f} times as fast as TITAN Xp in FP32, and an encoder is bound by multipliers, of "
        "which the machine has 1,024"
    )


def reproduce(m):
    made, rows, speed, energy = Result(), [], {}, {}
    devices = measured()
    reported = paper.reported()["spatten_over_gpu"]
    for gpu in devices:
        name, shape = gpu.machine.replace("NVIDIA ", "").split()[0], _shape(gpu)
        name += f", {gpu.manifest['options']['mode']}, {shape['heads']} heads, {int(shape['tokens']):,} tokens"
        fused = (gpu.value("summary.time_a_layer"), gpu.value("summary.energy_a_layer_gpu"))
        naive = (gpu.value(f"{NAIVE}.median"), gpu.value(f"{NAIVE}.a_run"))
        for machine, policy, run in on_ours(m, gpu):
            seconds = a_layer(run)["time_a_layer"]
            joules = run.value("cost.energy") / run.value("summary.layers_run")
            rows.append(
                [name, gpu.manifest["options"]["fastest_dense"], f"{policy} on {machine}", fused[0], naive[0], seconds]
                + [
                    fused[0] / seconds,
                    naive[0] / seconds,
                    fused[1],
                    naive[1],
                    joules,
                    fused[1] / joules,
                    naive[1] / joules,
                ]
            )
            if (machine, policy) == ("spatten", "spatten"):
                speed[name] = (fused[0] / seconds, naive[0] / seconds)
                energy[name] = (fused[1] / joules, naive[1] / joules)
    made.tables.append(
        Table(
            "gpu",
            "One layer's attention, batch 1, L2 cold, on GPUs and on the machines",
            [
                "device and work",
                "fastest fused kernel",
                "ours",
                "GPU fused [s]",
                "GPU naive FP32 [s]",
                "ours [s]",
                "faster than fused",
                "faster than naive",
                "GPU fused over idle [J]",
                "GPU naive over idle [J]",
                "ours [J]",
                "energy below fused",
                "energy below naive",
            ],
            rows,
        )
    )
    for name, gpu in zip(speed, devices):
        made.besides += [
            Beside(
                f"speed over {name}, naive kernels in FP32",
                reported["speedup"]["value"],
                speed[name][1],
                "x",
                f"{because(gpu)}; over the fastest fused kernel it is {speed[name][0]:.2g}x",
            ),
            Beside(
                f"energy over {name}, naive kernels in FP32",
                reported["energy_saving"]["value"],
                energy[name][1],
                "x",
                f"over idle, as the paper counts; over the fastest fused kernel it is {energy[name][0]:.2g}x",
            ),
        ]
    if devices:
        made.figures += [
            plots.bars(
                key,
                title,
                "The paper's bar is TITAN Xp as reported, over 30 benchmarks; the others are policy `spatten` on "
                "machine `spatten` against one layer on the device, batch 1.",
                "cuda_ref/results; time and energy a layer of the run on the same trace",
                ["TITAN Xp, reported", *table],
                {
                    "the paper": [value, *[None] * len(table)],
                    "over naive kernels in FP32": [None, *(both[1] for both in table.values())],
                    "over the fastest fused kernel": [None, *(both[0] for both in table.values())],
                },
                axis,
                log=True,
            )
            for key, title, table, value, axis in (
                ("speed", "Speed over GPUs", speed, reported["speedup"]["value"], "times faster"),
                ("energy", "Energy below GPUs", energy, reported["energy_saving"]["value"], "times less energy"),
            )
        ]
        made.cause = (
            f"From {min(both[0] for both in speed.values()):.2g}x (one fused kernel on a GPU of today) to "
            f"{max(both[1] for both in speed.values()):.2g}x (three kernels through memory, in FP32) on the same work: "
            "the 162x are made of the baseline as much as of the machine. A single sequence leaves such a GPU nearly "
            f"idle. Energy over idle is {min(both[0] for both in energy.values()):.2g} to "
            f"{max(both[0] for both in energy.values()):.2g} times that of the machine with the fused kernel."
        )
    else:
        made.cause = "No GPU was measured: cuda_ref/results holds no folder of `winnow gpu`."
    for what in (
        "TITAN Xp",
        "Xeon (347x, 4059x)",
        "Jetson Nano (1095x, 406x)",
        "Raspberry Pi (5071x, 1910x)",
    ):
        made.not_had.append(
            NotHad(f"speed and energy against {what}", "no such device was at hand; nothing stands in for it")
        )
    return made


ARTEFACT = Artefact(
    3,
    "gpu",
    "Speed and energy against a GPU",
    f"162x faster than TITAN Xp and 1193x less energy, over 30 benchmarks ({paper.ABSTRACT})",
    "One layer on the GPUs that cuda_ref/results holds, measured by `winnow gpu`, beside the same trace on our "
    "machines. A GPU's energy is that over idle; ours is chip and memory.",
    reproduce,
)
