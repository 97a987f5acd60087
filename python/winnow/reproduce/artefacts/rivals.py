"""(5) A3, MNNFast and an eighth of the machine on the same work."""

import winnow
from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table
from winnow.reproduce.techniques import static_bits

MACHINES = [("spatten-eighth", "dense"), ("spatten-eighth", "spatten"), ("a3", "a3"), ("mnnfast", "mnnfast")]


def operations(m, trace, steps):
    """Of dense attention on that work, a product counted once: what all machines are asked for, however they do it. So
    128 multipliers give 128 GOP/s at most to dense attention, which is how the paper's figures fit: docs/rivals.md.

    An encoder has every query with every key; a step of a decoder one query a head with all tokens so far."""
    with_steps = winnow.Trace.open(str(trace))
    heads, dim, layers = with_steps.heads, with_steps.head_dim, with_steps.layers
    if steps is None:
        pairs = with_steps.tokens**2
    else:
        pairs = sum(with_steps.prompt + step for step in range(steps[0], steps[1] + 1))
    return 2 * pairs * dim * heads * layers


def over(operations, what):
    """Giga-operations a second, or a joule; None where a machine's energy has no figure."""
    return None if what is None else operations / what / 1e9


def works(m):
    """[(name, trace, steps or None, policy of `spatten-eighth`)]."""
    return [
        (m.encoder_name, m.encoder, None, static_bits()),
        (m.decoder_name, m.decoder, m.decoder_steps, winnow.Policy("spatten")),
    ]


def reproduce(m):
    made, rows = Result(), []
    rates, errors = {}, {}
    there = [(machine, policy) for machine, policy in MACHINES if machine in winnow.machines()]
    missing = [machine for machine, _ in MACHINES if machine not in winnow.machines()]
    for name, trace, steps, of_paper in works(m):
        asked = operations(m, trace, steps)
        for machine, policy in there:
            options = {} if steps is None else {"steps": steps}
            chosen = of_paper if policy == "spatten" else policy
            try:
                run = m.run(trace, machine, chosen, **options)
            except winnow.Error as error:  # a rival may refuse a kind of trace
                made.not_had.append(NotHad(f"{machine} on {name}", m.tidy(str(error))))
                continue
            seconds, joules = run.value("summary.time_at_the_clock"), run.value("cost.energy")
            chip = run.value("cost.chip.energy")
            label = f"{machine}, dense" if policy == "dense" else machine
            rates[label, name] = (over(asked, seconds), over(asked, joules))
            errors[label, name] = 100 * run.value("summary.output_error_mean")
            rows.append(
                [name, machine, policy, asked, seconds, joules, *rates[label, name], over(asked, chip)]
                + [run.value("summary.dram_kv_useful"), run.value("summary.output_error_mean"), run.value("cost.area")]
            )
    made.tables.append(
        Table(
            "rivals",
            "128 multipliers and 64 GB/s each, on the same work",
            [
                "trace",
                "machine",
                "policy",
                "operations asked for",
                "time [s]",
                "energy [J]",
                "GOP/s",
                "GOP/J",
                "GOP/J, chip alone",
                "K and V [B]",
                "output error",
                "area [mm2]",
            ],
            rows,
        )
    )
    causes = {
        "spatten-eighth": "one trace at the policy's ratios; {share:.0f} % of dense on the same machine",
        "a3": "A3 reads all of Q, K and V, and skips products alone",
        "mnnfast": "MNNFast reads all of K and V, and skips products of P x V alone",
    }
    for machine in dict.fromkeys(machine for machine, _ in there):
        for name, *_ in works(m):
            if (machine, name) not in rates:
                continue
            rate, per_joule = rates[machine, name]
            dense = rates["spatten-eighth, dense", name]
            made.besides += [
                Beside(
                    f"GOP/s, `{machine}`, {name}",
                    paper.GOPS[machine],
                    rate,
                    "",
                    causes[machine].format(share=100 * rate / dense[0]),
                ),
                Beside(
                    f"GOP/J, `{machine}`, {name}",
                    paper.GOPJ[machine],
                    per_joule,
                    "",
                    causes[machine].format(share=100 * (per_joule or 0) / dense[1]),
                ),
            ]
    for rival in ("a3", "mnnfast"):
        for name, *_ in works(m):
            if (rival, name) in rates:
                mine, theirs = rates["spatten-eighth", name], rates[rival, name]
                made.besides += [
                    Beside(
                        f"{what} of `spatten-eighth` over `{rival}`, {name}",
                        table["spatten-eighth"] / table[rival],
                        theirs[i] and mine[i] / theirs[i],
                        "x",
                        f"each with its own approximation: an output error of {errors['spatten-eighth', name]:.0f} % "
                        "here, "
                        f"{errors[rival, name]:.0f} % there",
                    )
                    for i, (what, table) in enumerate((("GOP/s", paper.GOPS), ("GOP/J", paper.GOPJ)))
                ]
    names = [name for name, *_ in works(m)]
    labels = list(dict.fromkeys(label for label, _ in rates))
    for i, (key, title, table) in enumerate(
        (("gops", "Dense operations a second", paper.GOPS), ("gopj", "Dense operations a joule", paper.GOPJ))
    ):
        made.figures.append(
            plots.bars(
                key,
                title,
                "What dense attention would have to compute, over the time (or the energy, memory included) that a "
                "machine takes for it. 128 multipliers do 128 GOP/s at most; pruning can go beyond.",
                "summary.time_at_the_clock, cost.energy; operations: 2 x queries x keys x D x heads x layers",
                labels,
                {
                    "the paper": [table.get(label) for label in labels],
                    **{name: [rates.get((label, name), (None, None))[i] for label in labels] for name in names},
                },
                "GOP/s" if key == "gops" else "GOP/J",
            )
        )
    of_decoder = rates["spatten-eighth", m.decoder_name], rates["spatten-eighth, dense", m.decoder_name]
    of_encoder = rates["spatten-eighth", m.encoder_name], rates["spatten-eighth, dense", m.encoder_name]
    made.cause = (
        f"Against dense on the same 128 multipliers, pruning brings {of_encoder[0][0] / of_encoder[1][0]:.2f}x the "
        f"speed and {of_encoder[0][1] / of_encoder[1][1]:.2f}x the operations a joule in the encoder, "
        f"{of_decoder[0][0] / of_decoder[1][0]:.2f}x and {of_decoder[0][1] / of_decoder[1][1]:.2f}x in the decoder. "
        "Operations a joule count the memory; the paper does not say whether its own do."
    )
    for machine in missing:
        made.not_had.append(
            NotHad(
                f"{machine} beside us: {paper.GOPS[machine]} GOP/s, {paper.GOPJ[machine]} GOP/J",
                "machine not built yet",
            )
        )
    return made


ARTEFACT = Artefact(
    5,
    "rivals",
    "A3, MNNFast and an eighth of the machine",
    "128 multipliers and 64 GB/s each: MNNFast 120, A3 221, SpAtten 360 GOP/s, and 120, 269, 382 GOP/J "
    f"({paper.COMPARISON})",
    "The same traces on machines of that size, each with its own policy. Operations are products of dense attention.",
    reproduce,
)
