"""The command line of `winnow compare`."""

from pathlib import Path

from winnow._core import Error
from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Compares policies at equal budget. Each policy has a knob; it is turned until golden counts as many bytes of K and V as
the budget allows. Then the machines time it, and the model judges it. docs/compare.md has an example."""
_EXAMPLES = """\
examples:
  winnow compare docs/examples/compare.yaml -o results/compare
  winnow compare docs/examples/compare.yaml --no-accuracy      # bytes, cycles, joules and output error alone"""


def parser():
    made = command_parser("compare", _DESCRIPTION, _EXAMPLES)
    made.add_argument("spec", metavar="SPEC.yaml", help="policies with their knobs, budgets, trace, machines, model")
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the results (default results/NAME)")
    made.add_argument("--jobs", type=int, metavar="N", help="runs at once (default: one a core)")
    made.add_argument("--no-accuracy", action="store_true", help="leave the model out")
    made.add_argument("--force", action="store_true", help="replace what the folder holds")
    return made


def run(arguments):
    """Raises Error."""
    options = parser().parse_args(arguments)
    # Only now, so that --help and wrong arguments answer at once.
    from winnow import compare

    if options.jobs is not None and options.jobs < 1:
        raise Error(f"--jobs: {options.jobs}: must be at least 1")
    spec = compare.load(options.spec)
    if options.no_accuracy:
        spec.accuracy = spec.needle = None
    output = options.output or Path("results") / spec.name
    made = compare.run(spec, output, jobs=options.jobs, force=options.force, tell=lambda line: print(line, flush=True))
    print()
    print((output / "compare.md").read_text(encoding="utf-8"))
    reached = int(made.table["reached"].sum())
    print(f"{reached} of {len(made.table)} pairs of policy and budget reached; {output}/compare.csv has all figures")
