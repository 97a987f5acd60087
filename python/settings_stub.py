"""Writes settings.pyi: python3 settings_stub.py FILE. The keys are those of winnow.settings, which has them from the
schema; the build calls this."""

import sys
from pathlib import Path

from winnow import settings

TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "str", "list": "list[int] | list[float]"}


def members(made):
    """(name, property) of a class's own parameters and sections."""
    return [(name, one) for name, one in vars(made).items() if isinstance(one, property)]


def write_class(name, bases, made, types, path, lines):
    sections = []
    body = []
    for member, prop in members(made):
        key = f"{path}.{member}" if path else member
        if key in types:
            body += [f"    {member}: {TYPES[types[key]]}", f'    """{prop.__doc__}"""']
        elif isinstance(prop, settings._SectionMember):
            inner = prop.made
            sections.append((inner.__name__, inner, key))
            body += [f"    {member}: {inner.__name__}"]
    for inner_name, inner, key in sections:
        write_class(inner_name, "_Section", inner, types, key, lines)
    lines += [f"class {name}({bases}):", *(body or ["    ..."]), ""]


def main():
    lines = [
        "from pathlib import Path",
        "from typing import Any, Self",
        "",
        "from winnow import _core",
        "",
        "class _Section: ...",
        "",
        "class _Settable:",
        "    def __init__(self, base: str | Path | Self, /, **parameters: Any) -> None: ...",
        "    def __getitem__(self, key: str) -> Any: ...",
        "    def __setitem__(self, key: str, value: Any) -> None: ...",
        "    def parameters(self) -> list[_core.ParameterInfo]: ...",
        "    def as_dict(self) -> dict[str, Any]: ...",
        "    def changed(self, /, **parameters: Any) -> Self: ...",
        "",
    ]
    for made, example in ((settings.Policy, "dense"), (settings.Machine, "spatten")):
        types = {info.key: info.type for info in made(example).parameters()}
        write_class(made.__name__, f"_Settable, _core.{made.__name__}", made, types, "", lines)
    lines += ["def policies() -> list[str]: ...", "def machines() -> list[str]: ..."]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
