"""A comparison as a table for people: a part a budget, the best first. Area is what the policy's own hardware adds to
a machine (docs/cost.md), without memories that the comparison enlarges."""

import math


def _share(budget):
    parts = 1 / budget
    return f"1/{parts:.0f}" if math.isclose(parts, round(parts)) else f"{100 * budget:.1f} %"


def _given(row, key):
    value = row.get(key)
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else value


def _cells(row, machines, asked):
    """`asked`: how many facts the model was asked for; None: there was no needle test."""
    change, error = _given(row, "change_per_cent"), _given(row, "standard_error")
    loss = _given(row, "cosine")
    judged = f"{change:+.2f} % ± {error:.2f}" if change is not None else f"{loss:.4f}" if loss is not None else "-"
    times = []
    for machine in machines:
        cycles, joules = _given(row, f"{machine}.cycles"), _given(row, f"{machine}.joules")
        added = _given(row, f"{machine}.added_mm2")
        times += ["-" if cycles is None else f"{cycles:,.0f}", "-" if joules is None else f"{1e6 * joules:,.1f}"]
        times.append("-" if added is None else f"{added:.3f}")
    error = _given(row, "output_error")
    found = _given(row, "found")
    needle = [] if asked is None else ["-" if found is None else f"{round(found * asked)} of {asked}"]
    return [judged, *needle, "-" if error is None else f"{100 * error:.1f} %", *times]


def markdown(comparison):
    """Markdown, with units in the heads. What does not reach a budget stands below the table."""
    facts, rows = comparison.facts, comparison.table.to_dict("records")
    machines = facts["machines"]
    judged = "cosine" if any(_given(row, "cosine") is not None for row in rows) else "change of perplexity"
    head, asked = ["policy", "K and V of dense", judged], None
    if "needle" in facts:
        asked = facts["needle"]["windows"]
        head.append(f"facts found (dense float: {round(facts['needle']['found by dense float'] * asked)} of {asked})")
    head.append("output error")
    for machine in machines:
        head += [f"cycles a step, `{machine}`", f"µJ a step, `{machine}`", f"mm² it adds, `{machine}`"]
    lines = []
    for budget in facts["budgets"]:
        mine = [row for row in rows if row["budget"] == budget]
        reached = [row for row in mine if row["reached"]]
        worst = math.inf if judged == "change of perplexity" else -math.inf
        key = "change_per_cent" if judged == "change of perplexity" else "cosine"

        def rank(row, key=key, worst=worst):
            value = _given(row, key)
            value = worst if value is None else value
            return (value if key == "change_per_cent" else -value, _given(row, "output_error") or 0)

        lines += [f"**{_share(budget)} of dense's bytes of K and V** (12 bits)", "", "| " + " | ".join(head) + " |"]
        lines.append("|" + "---|" * len(head))
        for row in sorted(reached, key=rank):
            cells = [f"`{row['settings']}`", f"{100 * row['bytes_of_dense']:.1f} %", *_cells(row, machines, asked)]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
        missed = [f"`{row['policy']}` ({100 * row['bytes_of_dense']:.0f} %)" for row in mine if not row["reached"]]
        if missed:
            lines += ["Not reached by " + ", ".join(missed) + ": the least that each reads.", ""]
    return "\n".join(lines)
