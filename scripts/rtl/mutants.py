#!/usr/bin/env python3
"""Writes a copy of RTL sources in which the variable mutant_pkg::selected turns on one of a list of single-point bugs.

  scripts/rtl/mutants.py tests/rtl/topk/engine.mutants OUTPUT_FOLDER SOURCE.sv...

Each line of the list is `file | text | replacement` (a bar inside is written \\|), `file#K` for the K-th place of the
text in the file; the text becomes `((mutant_pkg::selected == N) ? (replacement) : (text))`, for an assignment
`a = text` or `a <= text` only its right side. 0 selects none.
"""

import pathlib
import re
import sys


def main():
    table, out, sources = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), [pathlib.Path(s) for s in sys.argv[3:]]
    texts = {s.name: s.read_text() for s in sources}
    originals = dict(texts)
    number, planted = 0, []
    for line in table.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        number += 1
        name, text, bug = (p.strip().replace("\\|", "|") for p in re.split(r"(?<!\\)\|", line))
        name, _, place = name.partition("#")
        source, place = texts.get(name), int(place or 0)
        # A place that has its mutant already shows the text no more where only its right side was kept.
        earlier = [k for n, s, k in planted if (n, s) == (name, text)]
        count = 0 if source is None else originals[name].count(text)
        if (count != 1 or text not in source) if not place else not 0 < place <= count:
            sys.exit(f"{table}: mutant {number}: {name} holds `{text}` {count} times")
        if place:
            planted.append((name, text, place))
        prefix = suffix = ""
        if match := re.match(r"((?:.*\) )?[\w\[\]]+ <?= )", text):  # an assignment
            prefix, text_, bug_ = match[1], text[match.end() :], bug[match.end() :]
        elif text.endswith(") state_d"):  # the condition of an if
            suffix, text_, bug_ = ") state_d", text[:-9], bug[:-9]
        else:
            text_, bug_ = text, bug
        wrapped = f"{prefix}((mutant_pkg::selected == {number}) ? ({bug_}) : ({text_})){suffix}"
        if text.startswith("(write_i"):
            wrapped = f"({wrapped})"
        # Several mutants may share a place: the text stands last in what the one before has made of it.
        at = -1 if place else source.rindex(text)
        for _ in range(place - sum(k < place for k in earlier)):
            at = source.index(text, at + 1)
        texts[name] = source[:at] + wrapped + source[at + len(text) :]
    out.mkdir(parents=True, exist_ok=True)
    (out / "mutant_pkg.sv").write_text(
        f"// Generated from {table.name}: {number} mutants.\npackage mutant_pkg;\n  int unsigned selected = 0;\n"
        f"  parameter int unsigned Mutants = {number};\nendpackage\n"
    )
    for name, text in texts.items():
        (out / name).write_text(text)


if __name__ == "__main__":
    main()
