"""The command line of `winnow sweep`."""

from pathlib import Path

from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Measures many points of machine and policy, and finds those that nothing beats. The spec says what varies, what is to be
small, and by which fidelities: golden's bytes and error first, cycles and joules of the machine for those that survive,
accuracy in a real model for the best. docs/exploration.md has an example and says how to read the results."""
_EXAMPLES = """\
examples:
  winnow sweep docs/examples/sweep.yaml -o results/sweep --jobs 2
  winnow sweep docs/examples/sweep.yaml -o results/sweep --resume      # after a kill: nothing is measured twice"""


def parser():
    made = command_parser("sweep", _DESCRIPTION, _EXAMPLES)
    made.add_argument("spec", metavar="SPEC.yaml", help="what varies, and what is to be found")
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the results (default results/NAME)")
    made.add_argument("--jobs", type=int, metavar="N", help="processes that measure (default: one a core)")
    made.add_argument("--ray", metavar="ADDRESS", help="measure on a Ray cluster: HOST:PORT, auto, or local")
    made.add_argument("--resume", action="store_true", help="go on with the sweep that the folder holds")
    return made


def _text(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _front(spec, frame):
    """The front as lines, sorted by the first objective: figures with units, then what was chosen."""
    from winnow.sweep.tables import unit_of

    figures = [name for name in frame.columns if unit_of(name) is not None]
    shown = frame.dropna(axis=1, how="all")
    figures = [name for name in figures if name in shown]
    first = next(name for name in reversed(figures) if name.partition(".")[2] == spec.objectives[0])
    shown = shown.sort_values([first, "point"])
    columns = ["point", *figures, *(one.name for one in spec.parameters)]
    heads = [f"{name} [{unit_of(name)}]" if name in figures else name for name in columns]
    rows = [heads] + [[_text(x) for x in row] for row in shown[columns].astype(object).itertuples(index=False)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    return lines


def run(arguments):
    """Raises Error."""
    options = parser().parse_args(arguments)
    # Only now, so that --help and wrong arguments answer at once.
    from winnow import sweep

    spec = sweep.load(options.spec)
    folder = options.output or Path("results") / spec.name
    outcome = sweep.run(spec, folder, jobs=options.jobs, ray=options.ray, resume=options.resume)
    print("\n".join(outcome.lines))
    front = outcome.front
    if len(front):
        print(f"\n{len(front):,} points that nothing beats:\n")
        print("\n".join(_front(spec, front)))
    else:
        print("\nno point was measured that keeps to the limits: points.csv says why")
    print(f"\nresults in {folder}: points.csv, points.parquet")
