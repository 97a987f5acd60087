"""One HTML file of all artefacts, with the report's style and script, Plotly's JavaScript once."""

import re
from pathlib import Path

from winnow.report import page as report
from winnow.reproduce.artefact import figure

_HERE = Path(__file__).parent
_REPORT = Path(report.__file__).parent


def _code(text):
    """`name` in a text as the page has it."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def page(results, full):
    """The same results give the same bytes."""
    import jinja2
    from plotly.offline import get_plotlyjs

    plots = {
        f"plot-{artefact.id}-{one.key}": report.checked(one) for artefact, result in results for one in result.figures
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["figure"] = figure
    environment.filters["code"] = _code
    return environment.get_template("page.html").render(
        results=results,
        full=full,
        lost=[(artefact, one) for artefact, result in results for one in result.not_had],
        style=(_REPORT / "page.css").read_text(encoding="utf-8") + (_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_REPORT / "page.js").read_text(encoding="utf-8"),
        plots=report.script_json(plots),
        # Nothing in the library's text ends a script; a tag in it would.
        plotly=get_plotlyjs().replace("</script", "<\\/script"),
    )
