"""A YAML file as plain values that know their line, so that an error can name file, line, key, value and rule."""

from dataclasses import dataclass, field

import yaml

from winnow._core import Error

_COLLECTIONS = ("tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
# No spec is as large; what is has been made to fill the memory.
MOST_BYTES, MOST_LEVELS, MOST_SHOWN = 1_000_000, 20, 100


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
        shown = "" if value is None else f": {_short(value)}"
        return Error(f"{self.path}: line {self.lines.get(at, 1)}: {key}{shown}: {rule}")


def _short(value):
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a number of very many digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _plain(document, node, place):
    document.lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
        raise document.error(place, None, f"must be a plain value, which `{node.tag}` makes none")
    if isinstance(node, yaml.SequenceNode):
        return [_plain(document, one, (*place, i)) for i, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                document.lines[(*place, "a key")] = key.start_mark.line + 1
                raise document.error((*place, "a key"), None, "must be a text")
            name = str(key.value)
            inner = (*place, name)
            if name in found:
                document.lines[inner] = key.start_mark.line + 1
                raise document.error(inner, None, "stands here a second time: must stand once")
            found[name] = _plain(document, value, inner)
            document.lines[inner] = key.start_mark.line + 1
        return found
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise document.error(place, node.value, f"must be a plain value, which `{node.tag}` makes none") from error


def _text(path):
    try:
        with open(path, "rb") as opened:
            data = opened.read(MOST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Error(f"{path}: {getattr(error, 'strerror', None) or 'is not UTF-8'}") from error
    if len(data) > MOST_BYTES:
        raise Error(f"{path}: must be at most {MOST_BYTES:,} bytes")
    return text


def _require_plain(path, text):
    """Before anything is built of it. Aliases, written out, fill a memory with a few lines."""
    levels = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        place = f"{path}: line {event.start_mark.line + 1}"
        if isinstance(event, yaml.AliasEvent):
            raise Error(f"{place}: *{event.anchor}: must have no aliases: the value must be written out")
        levels += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if levels > MOST_LEVELS:
            raise Error(f"{place}: must be at most {MOST_LEVELS} levels deep")


def read(path):
    """Raises Error for a file that cannot be read, is no YAML, or is no plain one."""
    document = Document(str(path))
    text = _text(path)
    try:
        _require_plain(path, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        what = " ".join(str(getattr(error, "problem", None) or error).split())
        raise Error(f"{path}: {where}{what}: must be YAML") from error
    if node is not None:
        document.value = _plain(document, node, ())
    return document
