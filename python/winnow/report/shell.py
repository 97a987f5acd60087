"""What all pages have in common: base.html's head and scripts, data that scripts may read, Plotly's JavaScript once."""

import json
from pathlib import Path

HERE = Path(__file__).parent


def script_json(value):
    """JSON that may stand inside <script>: no tag can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def checked(figure):
    """Plotly's own validation of a figure's dicts: an unknown property is an error here and not a blank plot there."""
    import plotly.graph_objects as go

    go.Figure({"data": figure.data, "layout": figure.layout})
    return {"data": figure.data, "layout": {**figure.layout, "height": figure.height}}


def html(template, *, data, scripts, style=(HERE / "page.css",), filters=None, **facts):
    """The page of a template file that extends base.html.

    data     {id: value}, for the scripts, as JSON in an element of that id
    scripts  files of JavaScript, style: of CSS, one behind the other
    filters  {name: function} that the template uses besides Jinja's own
    facts    what else the template names"""
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(template.name).render(
        data={key: script_json(value) for key, value in data.items()},
        style="".join(file.read_text(encoding="utf-8") for file in style),
        script="\n".join(file.read_text(encoding="utf-8") for file in scripts),
        # Nothing in the library's text ends a script; a tag in it would.
        plotly=get_plotlyjs().replace("</script", "<\\/script"),
        **facts,
    )
