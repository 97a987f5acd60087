"""One table of runs side by side, with the figures that the other artefacts have of machine `spatten`."""

from winnow.reproduce.artefact import Table


def products(run):
    return run.value("qk.multiplications") + run.value("pv.multiplications")


def figures_of(key, title, runs, reference, cycles_and_joules):
    """`runs`: {(machine, policy): run}; `cycles_and_joules` gives both of what the title names."""
    base = runs[reference]
    columns = [
        "machine",
        "policy",
        "K and V below FP32",
        "below FP16",
        "below 12 bit",
        "products below dense",
        "cycles",
        "faster than dense on spatten",
        "energy [J]",
        "energy below dense on spatten",
        "power [W]",
        "memory's share of it",
        "operations [Top/s]",
        "area [mm2]",
        "output error",
    ]
    of_base, rows = cycles_and_joules(base), []
    for (machine, policy), run in runs.items():
        cycles, joules = cycles_and_joules(run)
        rows.append(
            [
                machine,
                policy,
                run.value("summary.kv_reduction_fp32"),
                run.value("summary.kv_reduction_fp16"),
                run.value("summary.kv_reduction_dense_12_bit"),
                products(base) / products(run),
                cycles,
                of_base[0] / cycles,
                joules,
                of_base[1] / joules,
                run.value("cost.power"),
                run.value("cost.memory.power") / run.value("cost.power"),
                2 * products(run) / run.value("summary.time_at_the_clock") / 1e12,
                run.value("cost.area"),
                run.value("summary.output_error_mean"),
            ]
        )
    return Table(key, title, columns, rows)
