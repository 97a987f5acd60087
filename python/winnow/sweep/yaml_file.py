"""A YAML file as plain values that know their line, so that an error can name file, line, key, value and rule."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from winnow._core import Error


@dataclass
class Document:
    """`value`: mappings, lists, scalars. `lines`: the line of each place, a tuple of keys and indices."""

    path: str
    value: object = None
    lines: dict = field(default_factory=dict)

    def error(self, place, value, rule):
        """What is wrong at a place, as Error to raise. A place without a line takes that of what holds it."""
        at = tuple(place)
        while at and at not in self.lines:
            at = at[:-1]
        key = ".".join(str(part) for part in place if not isinstance(part, int)) or "the file"
        shown = "" if value is None else f": {value!r}"
        return Error(f"{self.path}: line {self.lines.get(at, 1)}: {key}{shown}: {rule}")


def _plain(document, node, place):
    document.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, one, (*place, i)) for i, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found = {}
        for key, value in node.value:
            name = str(key.value)
            inner = (*place, name)
            if name in found:
                document.lines[inner] = key.start_mark.line + 1
                raise document.error(inner, None, "stands here a second time: must stand once")
            found[name] = _plain(document, value, inner)
            document.lines[inner] = key.start_mark.line + 1
        return found
    return yaml.SafeLoader("").construct_object(node)


def read(path):
    """Raises Error for a file that cannot be read or is no YAML."""
    document = Document(str(path))
    try:
        node = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise Error(f"{path}: {getattr(error, 'strerror', None) or 'is not UTF-8'}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise Error(f"{path}: {where}{getattr(error, 'problem', None) or error}: must be YAML") from error
    if node is not None:
        document.value = _plain(document, node, ())
    return document
