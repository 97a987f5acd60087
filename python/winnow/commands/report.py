"""The command line of `winnow report`."""

from pathlib import Path

from winnow._core import Error
from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Writes one HTML file of one run or several, which opens in any browser and needs no network: what was found, where the
time goes, bytes, energy, area, roofline, and which words of the text were pruned where. Of a sweep: its front, and
which parameters decide. docs/report.md shows both."""
_EXAMPLES = """\
examples:
  winnow report results/smollm2-160-spatten-spatten
  winnow report results/dense results/spatten results/select -o compared.html
  winnow report results/sweep -o sweep.html"""


def parser():
    made = command_parser("report", _DESCRIPTION, _EXAMPLES)
    made.add_argument(
        "folders", metavar="DIR", nargs="+", help="folders of runs (winnow run, winnow gpu), or one of a sweep"
    )
    made.add_argument(
        "-o", "--output", type=Path, metavar="FILE", default=Path("report.html"), help="default %(default)s"
    )
    made.add_argument("--force", action="store_true", help="replace the file if it exists")
    made.add_argument("--trace", metavar="FILE", help="where the runs' trace lies now, if not where it lay then")
    made.add_argument(
        "--no-tokens",
        action="store_true",
        help="without the pictures of tokens, for which golden walks the trace again",
    )
    return made


def run(arguments):
    """Raises Error."""
    options = parser().parse_args(arguments)
    try:
        import jinja2  # noqa: F401
        import plotly  # noqa: F401
    except ImportError as error:
        raise Error(f"report: {error.name} is missing: scripts/setup --python brings it") from error
    from winnow.report import write

    made = write(
        options.folders, options.output, trace=options.trace, tokens=not options.no_tokens, force=options.force
    )
    for note in made.notes:
        print(note)
    if made.points:
        print(f"{made.points:,} points, {made.plots} plots, {made.statistics:,} figures")
    else:
        print(f"{made.runs} runs, {made.plots} plots, {made.statistics:,} statistics")
    print(f"report in {made.path}")
