"""The folder of results: its marker, CSV files, summary.md and index.html."""

import csv
import io
import json
import textwrap
from pathlib import Path

import winnow
from winnow._core import Error
from winnow.reproduce.artefact import figure
from winnow.reproduce.page import page

FORMAT = "winnow-reproduce-1"
MARKER = "reproduce.json"


def _marker(folder):
    path = folder / MARKER
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None
    except ValueError as error:
        raise Error(f"{path}: file: no JSON: must be one that winnow reproduce wrote") from error
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        found = tree.get("format", "") if isinstance(tree, dict) else ""
        raise Error(
            f"{path}: format: '{found}': another version: this winnow replaces {FORMAT} alone: name another folder"
        )
    return tree


def _mark(folder, artefacts, full, finished):
    facts = {
        "format": FORMAT,
        "version": winnow.__version__,
        "artefacts": [one.id for one in artefacts],
        "full": full,
        "finished": finished,
    }
    _write(folder / MARKER, json.dumps(facts, indent=2) + "\n")


def _write(path, text):
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Error(f"{path}: {error.strerror}") from error


def prepare(folder, artefacts, full, force):
    """Makes the folder, or empties one of ours. Raises Error where something else is there."""
    if folder.exists() and not folder.is_dir():
        raise Error(f"{folder}: is a file: must be a folder to write")
    if folder.is_dir() and any(folder.iterdir()):
        if _marker(folder) is None:
            raise Error(f"{folder}: holds other things: must be empty, or written by winnow reproduce")
        if not force:
            raise Error(f"{folder}: exists: --force replaces it")
        # What this command writes, and nothing else that may lie there.
        for path in [
            *folder.glob("*.csv"),
            *folder.glob("workloads/*.csv"),
            folder / "index.html",
            folder / "summary.md",
        ]:
            path.unlink(missing_ok=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Error(f"{folder}: {error.strerror}") from error
    _mark(folder, artefacts, full, finished=False)


def csv_text(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue()


BESIDE_COLUMNS = ["artefact", "figure", "unit", "the paper", "ours", "deviation", "cause"]


def beside_rows(results):
    return [
        [artefact.id, one.what, one.unit, one.paper, one.ours, one.deviation, one.cause]
        for artefact, result in results
        for one in result.besides
    ]


def _wrapped(text):
    return textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)


def summary(results, full):
    """Markdown: the paper beside ours, and what is not had."""
    lines = [
        "# The paper beside ours",
        "",
        *_wrapped(
            f"Written by `winnow reproduce{' --full' if full else ''}`; docs/reproduce.md says what each artefact is "
            "and how it "
            "is measured. The paper is SpAtten (HPCA 2021, arXiv 2012.09852). A deviation is of ours from the paper's."
        ),
    ]
    for artefact, result in results:
        lines += ["", f"## {artefact.number}. {artefact.title}", "", *_wrapped(f"The paper: {artefact.claim}."), ""]
        if result.besides:
            lines += ["| figure | the paper | ours | deviation | cause |", "|---|---:|---:|---:|---|"]
            lines += [
                f"| {one.what} | {figure(one.paper, one.unit)} | {figure(one.ours, one.unit)} | {one.deviation} | "
                f"{one.cause} |"
                for one in result.besides
            ]
            lines.append("")
        lines += _wrapped(result.cause)
    lost = [(artefact, one) for artefact, result in results for one in result.not_had]
    if lost:
        lines += ["", "## Not reproduced", "", "| artefact | what | why |", "|---|---|---|"]
        lines += [f"| {artefact.id} | {one.what} | {one.why} |" for artefact, one in lost]
    return "\n".join(lines) + "\n"


def write(folder, results, full):
    """All files; their paths."""
    files = []

    def keep(name, text):
        _write(folder / name, text)
        files.append(folder / name)

    keep("beside.csv", csv_text(BESIDE_COLUMNS, beside_rows(results)))
    for _, result in results:
        for table in result.tables:
            keep(f"{table.key}.csv", csv_text(table.columns, table.rows))
    keep("summary.md", summary(results, full))
    keep("index.html", page(results, full))
    _mark(folder, [artefact for artefact, _ in results], full, finished=True)
    files += sorted(Path(folder).glob("workloads/*.csv"))
    return files
