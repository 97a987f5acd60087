"""One HTML file of all artefacts, with the report's style and script, Plotly's JavaScript once."""

import re
from pathlib import Path

from winnow.report import shell
from winnow.reproduce.artefact import figure

_HERE = Path(__file__).parent


def _code(text):
    """`name` in a text as the page has it."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def page(results, full):
    """The same results give the same bytes."""
    plots = {
        f"plot-{artefact.id}-{one.key}": shell.checked(one) for artefact, result in results for one in result.figures
    }
    return shell.html(
        _HERE / "page.html",
        data={"plots": plots, "survivals": {}},
        scripts=[shell.HERE / "page.js"],
        style=[shell.HERE / "page.css", _HERE / "page.css"],
        filters={"figure": figure, "code": _code},
        title="Winnow: the paper beside ours",
        results=results,
        full=full,
        lost=[(artefact, one) for artefact, result in results for one in result.not_had],
    )
