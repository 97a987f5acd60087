"""A block's manifest, rtl/<block>/<block>.yaml: what lint, library, lockstep, planted bugs, coverage and synthesis know
of it, said once.

  inputs, outputs   {port: link}: the block's ready/valid ports PORT_valid_i, PORT_ready_o, PORT_i (or _o, _i, _o), and
                    the links of the machine they stand at, whose payloads are types of rtl/links/winnow_links_pkg.sv
  memories          {port: memory}: read ports PORT_addr_o, PORT_i, the word in the same cycle
  settings          {register: bits}: inputs REGISTER_i, constant while the block runs
  stimuli           {port.field, or register: C++ expression}: what is random in the stand-alone lockstep and not just
                    any value; `r` is a Stimuli of sim/rtl/stimuli.h
  top               the module; the block's name where it is left out
  probes            of a block that is compared by named registers, with an adapter of its own (rtl/topk)

Sources are all *.sv of the folder, packages first, before them rtl/links and rtl/prim. Planted bugs are in
tests/rtl/<block>/<block>.mutants.
"""

import pathlib
import re
import sys

try:
    import yaml
except ImportError:
    sys.exit("rtl/manifest.py: Python's yaml is missing: apt-get install python3-yaml, or scripts/requirements-rtl.txt")

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYS = {"inputs", "outputs", "memories", "settings", "stimuli", "top", "probes"}
LINKS = ROOT / "rtl/links/winnow_links_pkg.sv"


class Manifest:
    def __init__(self, path):
        self.path, self.name, self.folder = path, path.stem, path.parent
        what = yaml.safe_load(path.read_text()) or {}
        if unknown := sorted(what.keys() - KEYS):
            sys.exit(f"{path}: {unknown[0]}: no such key; there is: {', '.join(sorted(KEYS))}")
        self.top = what.get("top", self.name)
        self.inputs, self.outputs = what.get("inputs") or {}, what.get("outputs") or {}
        self.memories, self.settings = what.get("memories") or {}, what.get("settings") or {}
        self.stimuli = what.get("stimuli") or {}
        self.probes = self.folder / what["probes"] if "probes" in what else None
        self.mutants = ROOT / f"tests/rtl/{self.name}/{self.name}.mutants"
        types = link_types()
        for port, link in [*self.inputs.items(), *self.outputs.items(), *self.memories.items()]:
            if link not in types:
                sys.exit(f"{path}: {port}: {link}: no such link or memory; there is: {', '.join(types)}")

    @property
    def at_links(self):
        return bool(self.inputs or self.outputs)

    def sources(self):
        """In the order in which they are read."""
        own = sorted(self.folder.glob("*.sv"), key=lambda p: (not p.stem.endswith("_pkg"), p.name))
        packages = [p for p in own if p.stem.endswith("_pkg")]
        return [LINKS, *packages, *sorted((ROOT / "rtl/prim").glob("*.sv")), *own[len(packages) :]]

    def design(self):
        """The same without checkers, what binds them, and the memory, a black box to synthesis."""
        skip = ("_checker", "_bind", "prim_ram_1r1w")
        return [p for p in self.sources() if not p.stem.endswith(skip)]


def link_types():
    """Fields of each link's payload and memory's word: {link: [(field, bits)]}."""
    types = {}
    for body, name in re.findall(r"typedef struct packed \{(.*?)\} (\w+)_t;", LINKS.read_text(), re.S):
        fields = []
        for kind, ranges, field in re.findall(r"(logic|\w+_t) ((?:\[\d+:0\])*) *(\w+);", body):
            if kind != "logic":  # a part: its fields
                fields += [(f"{field}.{inner}", bits) for inner, bits in types[kind[:-2]]]
                continue
            bits = 1
            for high in re.findall(r"\[(\d+):0\]", ranges):
                bits *= int(high) + 1
            fields.append((field, bits))
        types[name] = fields
    return types


def names():
    return sorted(p.parent.name for p in (ROOT / "rtl").glob("*/*.yaml") if p.stem == p.parent.name)


def load(name):
    path = ROOT / f"rtl/{name}/{name}.yaml"
    if not path.is_file():
        sys.exit(f"{name}: in RTL there is: {', '.join(names())}")
    return Manifest(path)
