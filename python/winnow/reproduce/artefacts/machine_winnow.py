"""(13) The same figures for machine `winnow`."""

import winnow
from winnow.reproduce import plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table
from winnow.reproduce.artefacts import gpu
from winnow.reproduce.figures_of import figures_of

# (machine, policy): dense on the paper's machine is what all are compared with.
RUNS = [
    ("spatten", "dense"),
    ("spatten", "spatten"),
    ("spatten", "select"),
    ("winnow", "dense"),
    ("winnow", "select"),
    ("winnow", "winnow"),
]
ENCODER_RUNS = [("spatten", "dense"), ("spatten", "spatten"), ("winnow", "dense"), ("winnow", "spatten")]
# What machine and policy `winnow` have more, each taken away alone.
WITHOUT = [
    ("the crude first pass", "winnow", {"first_q_bits": 12, "first_exp": "exact"}, {}),
    ("the bins of top-k", "winnow", {}, {"topk": {"prefilter": "none"}}),
    ("composable multipliers", "winnow", {}, {"qk": {"brick_bits": 12}, "pv": {"brick_bits": 12}}),
]
BATCH, LONGEST = 8, 1024
BATCHED = [
    ("spatten", "dense"),
    ("spatten", "spatten"),
    ("spatten", "select"),
    ("winnow", "select"),
    ("winnow", "winnow"),
]


def a_token(run):
    """(cycles, joules) of a generated token; None joules where the machine has an array without a figure."""
    steps = run.manifest["options"].get("steps", "1-1").split("-")
    tokens = (int(steps[-1]) - int(steps[0]) + 1) * int(run.manifest["options"].get("batch", 1))
    joules = run.value("cost.energy")
    return run.value("summary.cycles") / tokens, joules and joules / tokens


def of_energy(row):
    return "" if row[4] is None else f" and {100 * (row[4] - 1):+.1f} % energy"


def reproduce(m):
    made = Result()
    runs = {(machine, policy): m.on_decoder(machine, policy) for machine, policy in RUNS}
    encoder = {(machine, policy): m.on_encoder(machine, policy) for machine, policy in ENCODER_RUNS}
    made.tables += [
        figures_of("winnow", f"{m.decoder_name}, a token", runs, ("spatten", "dense"), a_token),
        figures_of(
            "winnow-encoder",
            f"{m.encoder_name}, the whole sentence",
            encoder,
            ("spatten", "dense"),
            lambda run: (run.value("summary.cycles"), run.value("cost.energy")),
        ),
    ]
    _dense, best = runs["spatten", "dense"], runs["winnow", "winnow"]
    cycles = {key: a_token(run)[0] for key, run in runs.items()}
    joules = {key: a_token(run)[1] for key, run in runs.items()}
    own = ("winnow", "dense")

    rows = [["nothing", *a_token(best), None, None]]
    for what, machine, policy, changes in WITHOUT:
        run = m.on_decoder(winnow.Machine(machine, **changes), winnow.Policy("winnow", **policy), what)
        one = a_token(run)
        if one[1] is None:
            made.not_had.append(
                NotHad(
                    f"energy of machine `winnow` without {what}",
                    "it needs an SRAM array that sim/technology/sram.json has no figure of: scripts/cost/sram adds it",
                )
            )
        rows.append([what, *one, one[0] / rows[0][1], one[1] and one[1] / rows[0][2]])
    made.tables.append(
        Table(
            "winnow-without",
            "Policy `winnow` on machine `winnow`, each part taken away alone",
            ["without", "cycles a token", "joules a token", "cycles, of the whole's", "energy, of the whole's"],
            rows,
        )
    )
    trace = winnow.Trace.open(str(m.decoder))
    tokens = [["one", f"{policy} on {machine}", *a_token(run)] for (machine, policy), run in runs.items()]
    if m.full:
        for machine, policy in BATCHED:
            # The 25th step of the first sequence; each next one is a step ahead.
            # A list of importance for each sequence; machine `winnow` has room for them.
            lists = {"importance": {"tokens": BATCH * LONGEST}} if machine == "spatten" else {}
            run = m.run(m.decoder, winnow.Machine(machine, **lists), policy, steps=(25, 25), batch=BATCH)
            of_it = run.value("summary.layers_run") / trace.layers
            label = f"{policy} on {machine}"
            tokens.append([BATCH, label, run.value("summary.cycles_sequence_step"), run.value("cost.energy") / of_it])
    for device, sequences, _, energy in gpu.a_token(trace.heads, trace.kv_heads, trace.tokens, trace.layers):
        tokens.append(["one" if sequences == 1 else sequences, f"{device}, fused kernel, over idle", None, energy])
    made.tables.append(
        Table(
            "winnow-token",
            f"A token's attention, {m.decoder_name}",
            ["sequences together", "what", "cycles", "joules", "energy below one dense sequence on spatten"],
            [[*row, row[3] and joules["spatten", "dense"] / row[3]] for row in tokens],
        )
    )
    if len(tokens) > len(runs):
        made.figures.append(
            plots.bars(
                "token",
                f"Energy of a token's attention, {m.decoder_name}",
                f"One sequence, and {BATCH} together. A GPU's is one layer as `winnow gpu` measured it, over idle, "
                "times the "
                "layers; ours is chip and memory.",
                "cost.energy of each run over its tokens; cuda_ref/results",
                [f"{row[1]}, {row[0]}" for row in tokens],
                {"uJ a token": [row[3] and 1e6 * row[3] for row in tokens]},
                "uJ a token",
                log=True,
            )
        )
    reduction = best.value("summary.kv_reduction_fp32")
    made.besides += [
        Beside(
            "DRAM access against FP32, policy `winnow`",
            10.0,
            reduction,
            "x",
            f"against FP16 {best.value('summary.kv_reduction_fp16'):.2f}x, against 12 bit "
            f"{best.value('summary.kv_reduction_dense_12_bit'):.2f}x; {m.decoder_name}, nothing fine-tuned, output "
            f"error {100 * best.value('summary.output_error_mean'):.1f} % where the paper's rule has "
            f"{100 * runs['spatten', 'spatten'].value('summary.output_error_mean'):.0f} %",
        ),
        Beside(
            "cycles a token below dense on `spatten`",
            None,
            cycles["spatten", "dense"] / cycles["winnow", "winnow"],
            "x",
            f"dense on `winnow` alone is {cycles['spatten', 'dense'] / cycles[own]:.2f}x"
            + (
                "; in so short a sentence a selection takes more cycles than it saves there"
                if cycles[own] < cycles["winnow", "winnow"]
                else ""
            ),
        ),
        Beside(
            "energy a token below dense on `spatten`",
            None,
            joules["spatten", "dense"] / joules["winnow", "winnow"],
            "x",
            f"{1e6 * joules['winnow', 'winnow']:.1f} uJ; its memory stands by for less time, its own leakage is higher",
        ),
        Beside(
            "area",
            18.71,
            best.value("cost.area"),
            "mm²",
            "six heads in flight and 64 lanes of softmax, whose score memories are flip-flops",
        ),
        Beside(
            "power, the whole, policy `winnow`",
            8.30,
            best.value("cost.power"),
            "W",
            f"the same work in {cycles['winnow', 'winnow'] / cycles['spatten', 'spatten']:.2f} of the time that policy "
            "spatten takes on `spatten`",
        ),
    ]
    names = [f"{policy} on {machine}" for machine, policy in RUNS]
    made.figures += [
        plots.bars(
            "cycles",
            f"Cycles a token, {m.decoder_name}",
            "The same trace and steps. Fewer is better.",
            "summary.cycles of each run over its steps",
            names,
            {"cycles": [cycles[key] for key in RUNS]},
            "cycles a token",
        ),
        plots.bars(
            "joules",
            f"Energy a token, {m.decoder_name}",
            "Chip and memory, attention alone. Less is better.",
            "cost.chip_logic, cost.chip_storage and cost.memory, energy",
            names,
            {
                part: [
                    1e6 * run.value(f"cost.{key}.energy") * a_token(run)[0] / run.value("summary.cycles")
                    for run in runs.values()
                ]
                for part, key in (("logic", "chip_logic"), ("storage", "chip_storage"), ("memory", "memory"))
            },
            "uJ a token",
            stacked=True,
        ),
    ]
    faster = cycles["spatten", "dense"] / cycles["winnow", "winnow"]
    saved = joules["spatten", "dense"] / joules["winnow", "winnow"]
    made.cause = (
        f"On {m.decoder_name} policy `winnow` on machine `winnow` takes {faster:.2f} times fewer cycles and "
        f"{saved:.2f} times less energy than dense on `spatten`. With one part taken away it takes "
        + ", ".join(f"{100 * (row[3] - 1):+.1f} % cycles{of_energy(row)} without {row[0]}" for row in rows[1:])
        + "."
    )
    if m.decoder_name.endswith("160 tokens"):
        made.not_had.append(
            NotHad(
                "energy a token at 1,024 tokens, and in a batch of eight",
                "not part of the shipped samples: scripts/capture_long, then winnow reproduce --full; docs/figures.md "
                "has them",
            )
        )
    return made


ARTEFACT = Artefact(
    13,
    "winnow",
    "The same for machine `winnow`",
    "Nothing: this machine and its policies are this project's. Where the paper has a figure for its own, it stands "
    "beside",
    "The real traces on machines `spatten` and `winnow`, dense, by the paper's policy, and by progressive selection; "
    "then with one part of `winnow` taken away at a time.",
    reproduce,
)
