"""All artefacts, or some, into a folder."""

import time
from dataclasses import dataclass
from pathlib import Path

from winnow._core import Error
from winnow.reproduce import outputs
from winnow.reproduce.artefacts import ARTEFACTS
from winnow.reproduce.measure import Measurements
from winnow.reproduce.places import require_repository


@dataclass
class Reproduced:
    folder: Path
    results: list  # (Artefact, Result)
    files: list  # written, in order


def chosen(only):
    """Artefacts by ids or numbers, in the page's order; all without any. Raises Error on an unknown one."""
    if not only:
        return ARTEFACTS
    names = {name: one for one in ARTEFACTS for name in (one.id, str(one.number))}
    for name in only:
        if name not in names:
            raise Error(
                f"--only: '{name}': no such artefact: must be one of {', '.join(one.id for one in ARTEFACTS)}, or a "
                f"number 1..{len(ARTEFACTS)}"
            )
    wanted = [names[name] for name in only]
    return [one for one in ARTEFACTS if one in wanted]


def run(folder="results/reproduce", *, only=(), full=False, force=False, progress=None):
    """Measures, and writes index.html, summary.md and a CSV a table.

    only      ids or numbers of artefacts; none: all
    full      longer traces where scripts/capture_long made them, and what takes longer
    progress  takes a line an artefact

    The same inputs give the same bytes. Raises Error on bad input; a folder that is there is not touched then."""
    say = progress or (lambda line: None)
    wanted = chosen(only)
    require_repository()
    folder = Path(folder)
    outputs.prepare(folder, wanted, full, force)
    m = Measurements(folder, full)
    results = []
    for i, artefact in enumerate(wanted, 1):
        begun = time.monotonic()
        result = artefact.run(m)
        result.commands = m.commands()
        results.append((artefact, result))
        say(f"{i}/{len(wanted)}  {artefact.id}: {len(result.besides)} figures, {time.monotonic() - begun:.0f} s")
    return Reproduced(folder, results, outputs.write(folder, results, full))
