"""Toggles and energy of a mapped netlist.

The netlist is run without delays, as many independent streams side by side as a Python integer has bits, so a net's
toggles are counted exactly and glitches are not. Energy is then that of the Liberty file's tables. (OpenSTA 2.0.17,
which Debian has, adds a cell's tables once for each of its inputs: 14.7 fJ for a toggle of an XOR2_X1 whose table says
4.4.)
"""

import functools
import re

LANES = 256


# Input transition at which tables are read, ns: a gate of this library behind a gate.
TRANSITION = 0.017


class Library:
    """What simulating and adding up need of a Liberty file."""

    def __init__(self, text):
        self.volts = float(re.search(r"nom_voltage\s*:\s*([\d.]+)", text)[1])
        unit = re.search(r"capacitive_load_unit\s*\(\s*([\d.]+)\s*,\s*(\w+)\s*\)", text)
        if not unit or (float(unit[1]), unit[2]) != (1, "ff") or not re.search(r'leakage_power_unit\s*:\s*"1nW"', text):
            raise SystemExit("gates: the Liberty file must count in 1 ff and 1nW")
        self.cells = {name: Cell(body) for name, body in groups(text, "cell")}


class Table:
    """Energy of a transition in fJ, by load: the mean of rise and fall."""

    def __init__(self, body):
        found = re.search(r'\brelated_pin\s*:\s*"([^"]*)"', body)
        self.related = found[1] if found else None
        found = re.search(r'\bwhen\s*:\s*"([^"]*)"', body)
        self.when = found[1] if found else None
        self.curves = []
        for kind in ("rise_power", "fall_power"):
            for _, text in groups(body, kind):
                index = [
                    [float(x) for x in numbers.split(",")] for numbers in re.findall(r'index_\d\s*\(\s*"([^"]*)"', text)
                ]
                values = [float(x) for x in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text[text.index("values") :])]
                if not index:  # a scalar
                    self.curves.append(([0.0], values))
                    continue
                row = min(range(len(index[0])), key=lambda i: abs(index[0][i] - TRANSITION))
                n = len(index[1]) if len(index) > 1 else 1
                self.curves.append((index[1] if len(index) > 1 else [0.0], values[row * n : row * n + n]))

    def energy(self, load):
        total = 0.0
        for loads, values in self.curves:
            i = max((k for k in range(len(loads)) if loads[k] <= load), default=0)
            if i + 1 < len(loads) and load > loads[0]:
                at = (load - loads[i]) / (loads[i + 1] - loads[i])
                total += values[i] + at * (values[i + 1] - values[i])
            else:
                total += values[i]
        return total / max(1, len(self.curves))

    @functools.cached_property
    def chance(self):
        """Of the state that `when` says, from each pin's share of ones; pins as if independent."""
        terms = [t.strip() for t in self.when.split("&")] if self.when else []
        return [(t.lstrip("! ("), t.startswith("!")) for t in terms]

    def probability(self, rates):
        result = 1.0
        for pin, negated in self.chance:
            ones = rates.get(pin.rstrip(" )"), (0.0, 0.5))[1]
            result *= 1 - ones if negated else ones
        return result


class Cell:
    """Read when it is first asked for: a file has many."""

    def __init__(self, body):
        self.body = body

    @functools.cached_property
    def leakage(self):
        return float(re.search(r"cell_leakage_power\s*:\s*([\d.e-]+)", self.body)[1])

    @functools.cached_property
    def state(self):
        for head, ff in groups(self.body, "ff"):
            names = [n.strip(' "') for n in head.split(",")]
            said = dict(re.findall(r'(\w+)\s*:\s*"([^"]*)"', ff))
            return dict(
                names=names,
                next=said["next_state"],
                clear=said.get("clear"),
                preset=said.get("preset"),
                clock=said["clocked_on"],
            )
        return None

    @functools.cached_property
    def clock(self):
        return self.state["clock"].strip("! ()") if self.state else None

    @functools.cached_property
    def pins(self):
        return dict(groups(self.body, "pin"))

    @functools.cached_property
    def outputs(self):
        found = {pin: re.search(r'\bfunction\s*:\s*"([^"]*)"', text) for pin, text in self.pins.items()}
        return {pin: match[1] for pin, match in found.items() if match}

    @functools.cached_property
    def capacitance(self):
        found = {pin: re.search(r"\bcapacitance\s*:\s*([\d.]+)", text) for pin, text in self.pins.items()}
        return {pin: float(match[1]) for pin, match in found.items() if match and pin not in self.outputs}

    @functools.cached_property
    def internal(self):
        return {pin: [Table(body) for _, body in groups(text, "internal_power")] for pin, text in self.pins.items()}


def groups(text, kind):
    """(name, body) of each `kind (name) { body }`, at any depth."""
    for match in re.finditer(rf"(?<!_)\b{kind}\s*\(([^)]*)\)\s*\{{", text):
        depth, at = 1, match.end()
        while depth:
            brace = re.compile(r"[{}]").search(text, at)
            depth += 1 if brace[0] == "{" else -1
            at = brace.end()
        yield match[1].strip(' "'), text[match.end() : at - 1]


def expression(function, names):
    """A Liberty function as Python on integers of LANES bits; `names` are the pins' places."""
    text = function.replace("!", "~").replace("+", "|").replace("*", "&").replace("'", "")
    return re.sub(r"[A-Za-z_]\w*", lambda m: names[m[0]], text)


class Netlist:
    """A flat module of Yosys' JSON."""

    def __init__(self, module, library, runs=True):
        self.ports = module["ports"]
        self.cells = {n: c for n, c in module["cells"].items() if c["type"] in library.cells}
        if not runs:
            return
        others = [c for c in module["cells"].values() if c["type"] not in library.cells]
        driven, order, self.state = {}, [], []
        ready = {"0", "1", "x", "z"}
        for port in self.ports.values():
            if port["direction"] == "input":
                ready.update(port["bits"])
        for cell in others:  # black boxes: their outputs stay as they are
            for pin, bits in cell["connections"].items():
                if cell.get("port_directions", {}).get(pin) == "output":
                    ready.update(bits)
        for name, cell in self.cells.items():
            kind = library.cells[cell["type"]]
            pins = {p: b[0] for p, b in cell["connections"].items() if b}
            if kind.state:
                self.state.append((kind, pins))
                ready.update(pins[p] for p in kind.outputs if p in pins)
                continue
            for pin in kind.outputs:
                if pin in pins:
                    driven[pins[pin]] = (kind, pins, pin, name)
        # Inputs first.
        stack = list(driven)
        waiting = set()
        while stack:
            net = stack[-1]
            if net in ready or net not in driven:
                stack.pop()
                continue
            kind, pins, pin, name = driven[net]
            needs = [pins[p] for p in set(re.findall(r"[A-Za-z_]\w*", kind.outputs[pin]))]
            missing = [n for n in needs if n not in ready and n in driven]
            if missing and net not in waiting:
                waiting.add(net)
                stack.extend(missing)
                continue
            if missing:
                raise SystemExit(f"gates: a combinational loop through {name}")
            order.append((net, kind.outputs[pin], pins))
            ready.add(net)
            stack.pop()
        self.order = order
        self.step = self.compiled()

    def compiled(self):
        place = {}

        def at(bit):
            if bit in ("0", "x", "z"):
                return "0"
            return "M" if bit == "1" else f"n[{place.setdefault(bit, len(place))}]"

        lines = []
        for net, function, pins in self.order:
            lines.append(f"{at(net)}={expression(function, {p: at(b) for p, b in pins.items()})}&M")
        nexts = []
        for kind, pins in self.state:
            names = {p: at(b) for p, b in pins.items()}
            value = f"({expression(kind.state['next'], names)})&M"
            if kind.state["clear"]:
                value = f"({value})&~({expression(kind.state['clear'], names)})&M"
            if kind.state["preset"]:
                value = f"(({value})|({expression(kind.state['preset'], names)}))&M"
            outputs = [
                (at(pins[p]), "~" if f == kind.state["names"][1] else "") for p, f in kind.outputs.items() if p in pins
            ]
            if outputs:
                nexts.append((value, outputs))
        for bits in (p["bits"] for p in self.ports.values()):
            for bit in bits:
                at(bit)
        self.place, self.nets = place, len(place)
        steps = []
        for i in range(0, len(lines), 4000):
            scope = {}
            exec("def f(n,M):\n " + "\n ".join(lines[i : i + 4000]), scope)
            steps.append(scope["f"])
        # All next states are read before one is written.
        scope = {}
        text = ["def g(n,M):", " q=[]", *[f" q.append({value})" for value, _ in nexts]]
        for k, (_, outputs) in enumerate(nexts):
            text += [f" {name}={sign}q[{k}]&M" for name, sign in outputs]
        exec("\n".join(text), scope)
        self.clock = scope["g"]
        return steps

    def activity(self, stimulus, cycles, warm_up):
        """{net: (toggles a cycle, share of ones)}; stimulus(cycle) gives {port: [LANES bits for each bit]}."""
        mask = (1 << LANES) - 1
        n = [0] * self.nets
        toggles, ones, before = [0] * self.nets, [0] * self.nets, None
        for cycle in range(cycles + warm_up):
            for port, values in stimulus(cycle).items():
                for bit, value in zip(self.ports[port]["bits"], values, strict=True):
                    if bit in self.place:
                        n[self.place[bit]] = value
            for step in self.step:
                step(n, mask)
            if cycle >= warm_up:
                for i, value in enumerate(n):
                    ones[i] += value.bit_count()
                    if before[i] != value:
                        toggles[i] += (before[i] ^ value).bit_count()
            before = list(n)
            self.clock(n, mask)
        samples = cycles * LANES
        return {net: (toggles[i] / samples, ones[i] / samples) for net, i in self.place.items()}


def energies(netlist, library, activity):
    """Energy of a cycle in femtojoules: of the clock alone, and of everything else; and leakage in nanowatts.

    A net's toggle takes half of C V^2 of the pins it drives. An output's toggle takes what the cell's tables say, the
    mean of rise and fall at the net's load: of several tables by the input that turns and by the state it turns in.
    `activity`: {net: (toggles a cycle, share of ones)}, or one such pair for every net.
    """
    still = (0.0, 0.5)

    def of(bit):
        if bit in ("0", "1", "x", "z"):
            return (0.0, float(bit == "1"))
        return activity if isinstance(activity, tuple) else activity.get(bit, still)

    load = {}
    for cell in netlist.cells.values():
        kind = library.cells[cell["type"]]
        for pin, bits in cell["connections"].items():
            if bits and pin in kind.capacitance:
                load[bits[0]] = load.get(bits[0], 0) + kind.capacitance[pin]
    clock = other = leakage = 0.0
    clock_nets = set()
    for cell in netlist.cells.values():
        kind = library.cells[cell["type"]]
        leakage += kind.leakage
        pins = {pin: bits[0] for pin, bits in cell["connections"].items() if bits}
        rates = {pin: of(bit) for pin, bit in pins.items()}
        if kind.state:  # both outputs turn, whether they are connected or not
            rates.setdefault("Q", rates.get("QN", still))
            rates.setdefault("QN", rates["Q"])
        for pin, tables in kind.internal.items():
            if pin == kind.clock:
                clock_nets.add(pins[pin])
                total = sum(t.probability(rates) for t in tables) or 1
                clock += 2 * sum(t.probability(rates) * t.energy(0) for t in tables) / total
                continue
            rate = rates.get(pin, still)[0]
            if not rate or not tables:
                continue
            if pin in kind.outputs:
                weights = [t.probability(rates) * (rates.get(t.related, still)[0] if t.related else 1) for t in tables]
                if not sum(weights):
                    weights = [1] * len(tables)
                # Of a flip-flop both outputs have the energy of the one change.
                share = 0.5 if kind.state else 1
                each = sum(w * t.energy(load.get(pins.get(pin), 0)) for w, t in zip(weights, tables, strict=True))
                other += share * rate * each / sum(weights)
            else:
                other += rate * sum(t.probability(rates) * t.energy(0) for t in tables)
    for bit, capacitance in load.items():
        if bit in clock_nets:
            clock += capacitance * library.volts**2
        else:
            other += 0.5 * of(bit)[0] * capacitance * library.volts**2
    return clock, other, leakage
