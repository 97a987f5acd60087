"""The command line of `winnow reproduce`."""

from pathlib import Path

from winnow._core import Error
from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Puts what the SpAtten paper reports beside what this framework measures: one HTML page, a CSV of every table, a Markdown
summary, with the deviation and its cause. docs/reproduce.md lists the artefacts and says what cannot be had."""
_EXAMPLES = """\
examples:
  winnow reproduce                                  # all of it, into results/reproduce
  winnow reproduce --only dram-access,roofline -o results/two"""


def parser():
    made = command_parser("reproduce", _DESCRIPTION, _EXAMPLES)
    made.add_argument(
        "--only", action="append", default=[], metavar="ID", help="this artefact alone, by id or number; a,b: several"
    )
    made.add_argument(
        "-o", "--output", type=Path, metavar="DIR", default=Path("results/reproduce"), help="default %(default)s"
    )
    made.add_argument("--full", action="store_true", help="longer traces (scripts/capture_long), and what takes longer")
    made.add_argument("--force", action="store_true", help="replace the results that DIR holds")
    return made


def run(arguments):
    """Raises Error."""
    options = parser().parse_args(arguments)
    try:
        import jinja2  # noqa: F401
        import plotly  # noqa: F401
    except ImportError as error:
        raise Error(f"reproduce: {error.name} is missing: scripts/setup --python brings it") from error
    from winnow import reproduce

    only = [word for text in options.only for word in text.split(",")]
    made = reproduce.run(
        options.output, only=only, full=options.full, force=options.force, progress=lambda line: print(line, flush=True)
    )
    print(f"{len(made.results)} artefacts, {len(made.files)} files; page in {made.folder / 'index.html'}")
