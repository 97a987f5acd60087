"""A block's manifest, rtl/<block>/<block>.yaml: what lint, library, lockstep, planted bugs, coverage and synthesis know
of it, said once.

  inputs, outputs   {port: link}: the block's ready/valid ports PORT_valid_i, PORT_ready_o, PORT_i (or _o, _i, _o), and
                    the links of the machine they stand at, whose payloads are types of rtl/links/winnow_links_pkg.sv
  memories          {port: memory}: read ports PORT_addr_o, PORT_i, the word in the same cycle; [memory, lanes]: so
                    many words from that address on, the first in the lower bits
  writes            {port: MEMORY_WHAT}: write ports PORT_valid_o, PORT_o, an entry, or [MEMORY_WHAT, lanes]: up to
                    so many a cycle, each with its bit of PORT_valid_o
  settings          {register: bits}: inputs REGISTER_i, constant while the block runs
  parameters        of the module, which the model's Block::parameters() knows by the same names; `lanes` may be one
  probes            {name: signal}: state that the model's Block::probes() shows by the same name, "u_part.level_q";
                    with lanes {name: [signal, lanes]}, "row_q[lane]"
  probes_where      {PARAMETER=VALUE: probes}: more of them, where the module is built with that value
  others            {block: {port: link}}: blocks of the machine that are the same RTL at other links
  rams              how many prim_ram_1r1w are in it; or {PARAMETER=VALUE: how many}
  stimuli           {port.field, or register: C++ expression}: what is random in the stand-alone lockstep and not just
                    any value; `r` is a Stimuli of sim/rtl/stimuli.h
  top               the module; the block's name where it is left out

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
KEYS = {
    *("inputs", "outputs", "memories", "writes", "settings", "parameters", "probes", "others", "rams", "stimuli"),
    *("top", "probes_where"),
}
LINKS = ROOT / "rtl/links/winnow_links_pkg.sv"


class Manifest:
    def __init__(self, path):
        self.path, self.name, self.folder = path, path.stem, path.parent
        what = yaml.safe_load(path.read_text()) or {}
        if unknown := sorted(what.keys() - KEYS):
            sys.exit(f"{path}: {unknown[0]}: no such key; there is: {', '.join(sorted(KEYS))}")
        self.top = what.get("top", self.name)
        self.inputs, self.outputs = what.get("inputs") or {}, what.get("outputs") or {}
        self.memories, self.writes = self.ports(what.get("memories")), self.ports(what.get("writes"))
        self.settings, self.parameters = what.get("settings") or {}, what.get("parameters") or []
        self.probes, self.others = what.get("probes") or {}, what.get("others") or {}
        self.probes_where = self.where("probes_where", what.get("probes_where") or {})
        rams = what.get("rams", 0)
        self.rams = self.where("rams", rams) if isinstance(rams, dict) else {(): rams}
        self.stimuli = what.get("stimuli") or {}
        types = link_types()
        ports = {**self.inputs, **self.outputs}
        both = {port: name for port, (name, _) in [*self.memories.items(), *self.writes.items()]}
        for port, link in [*ports.items(), *both.items()]:
            if link not in types:
                sys.exit(f"{path}: {port}: {link}: no such link or memory; there is: {', '.join(types)}")
        for block, links in self.others.items():
            for port, link in links.items():
                if port not in ports or types.get(link) != types[ports[port]]:
                    sys.exit(f"{path}: {block}: {port}: {link}: no link like that of the same port here")
        for lanes in [n for _, n in [*self.memories.values(), *self.writes.values()]]:
            if not isinstance(lanes, int) and lanes not in self.parameters:
                sys.exit(f"{path}: {lanes}: neither a number of lanes nor one of the parameters")

    def where(self, key, said):
        """{(parameter, value): what holds where the module is built so}."""
        found = {}
        for at, what in said.items():
            match = re.fullmatch(r"(\w+)=(\d+)", str(at))
            if not match or match[1] not in self.parameters:
                sys.exit(f"{self.path}: {key}: {at}: not PARAMETER=NUMBER of one of the parameters")
            found[match[1], int(match[2])] = what
        return found

    def probes_of(self, parameters):
        """All probes of the module that is built with these parameters, {name: value}."""
        more = [probes for (name, value), probes in self.probes_where.items() if parameters[name] == value]
        found = dict(self.probes)
        for probes in more:
            if twice := found.keys() & probes.keys():
                sys.exit(f"{self.path}: two probes are called {min(twice)}")
            found.update(probes)
        return found

    @staticmethod
    def ports(said):
        return {port: (at, 1) if isinstance(at, str) else tuple(at) for port, at in (said or {}).items()}

    def needs_package(self):
        """Whether the machine's parameters must be read before the sources."""
        return any("winnow_machine_pkg" in p.read_text() for p in self.sources())

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
    """A block's manifest, or that of the RTL that stands for it too."""
    for path in (ROOT / "rtl").glob("*/*.yaml"):
        if path.stem == path.parent.name and name in (yaml.safe_load(path.read_text()) or {}).get("others", {}):
            return Manifest(path)
    path = ROOT / f"rtl/{name}/{name}.yaml"
    if not path.is_file():
        sys.exit(f"{name}: in RTL there is: {', '.join(names())}")
    return Manifest(path)
