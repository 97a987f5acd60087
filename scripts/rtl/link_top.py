#!/usr/bin/env python3
"""Writes what the lockstep of a block at links needs, from the block's manifest (manifest.py).

  scripts/rtl/link_top.py rtl/writeback/writeback.yaml OUTPUT_FOLDER [PARAMETER=VALUE...]

NAME_lockstep.sv, a top with the block's ports at full width and beside them the model's transfers, which shows both
sides of each transfer in waveforms; NAME_ports.inc, those ports for C++ (sim/rtl/block_port.h); NAME_stimuli.inc,
what is random in its stand-alone lockstep. A module alone that is compared by named registers has
scripts/rtl/lockstep_top.py.
"""

import pathlib
import sys

import lockstep_top
import manifest


def write(out, files):
    out.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        path, text = out / name, "\n".join(lines) + ("\n" if not lines or lines[-1] else "")
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    m, types = manifest.Manifest(source), manifest.link_types()
    ports = ["  input  logic clk_i,", "  input  logic rst_ni,"]
    pins = [".clk_i", ".rst_ni"]
    body, waves, cpp = [], [], []
    parameters = {name: int(value) for name, _, value in (a.partition("=") for a in sys.argv[3:])}
    if set(parameters) != set(m.parameters):
        sys.exit(
            f"{source}: parameters: {', '.join(parameters) or 'none'} given, {', '.join(m.parameters) or 'none'} there"
        )

    def width(link):
        return sum(bits for _, bits in types[link])

    def count(lanes):
        return lanes if isinstance(lanes, int) else parameters[lanes]

    def lanes_of(link, lanes):
        """The type of a port of so many words; one alone is no array."""
        return f"{link}_t" if count(lanes) == 1 and isinstance(lanes, int) else f"{link}_t [{count(lanes) - 1}:0]"

    def lane(port, lanes, i):
        return port if count(lanes) == 1 and isinstance(lanes, int) else f"{port}[{i}]"

    def wave(name, bits, value):
        body.append(f"  logic [{bits - 1}:0] {name};")
        body.append(f"  assign {name} = {value};")

    def both(name, bits, rtl, model):
        """Both sides of a transfer: nothing while there is none."""
        wave(f"rtl_{name}", bits, rtl)
        wave(f"model_{name}", bits, model)
        waves.append(f"{name}[{bits - 1}:0]")

    def signal(bits, name):
        return f"{{{bits}, &rtl_->{name}}}"

    for kind, links in (("input", m.inputs), ("output", m.outputs)):
        for port, link in links.items():
            given, given_by = ("i", "o") if kind == "input" else ("o", "i")
            into, back = ("input ", "output") if kind == "input" else ("output", "input ")
            ports += [
                f"  {into} logic p_{port}_valid,",
                f"  {back} logic p_{port}_ready,",
                f"  {into} {link}_t p_{port},",
                f"  input  logic m_{port}_taken,",
            ]
            pins += [
                f".{port}_valid_{given}(p_{port}_valid)",
                f".{port}_ready_{given_by}(p_{port}_ready)",
                f".{port}_{given}(p_{port})",
            ]
            # Where no transfer was possible the model has no say: its side shows the RTL's.
            valid, ready, taken = f"p_{port}_valid", f"p_{port}_ready", f"m_{port}_taken"
            if kind == "input":
                wave(f"{port}_valid_i", 1, valid)
                both(f"{port}_ready", 1, ready, f"{valid} ? {taken} : {ready}")
            else:
                wave(f"{port}_ready_i", 1, ready)
                both(f"{port}_valid", 1, valid, f"{ready} ? {taken} : {valid}")
            model = "{}"
            if kind == "output":
                ports.append(f"  input  {link}_t m_{port},")
                model = signal(width(link), f"m_{port}")
            for field, bits in types[link]:
                name = f"{port}_{field.replace('.', '_')}"
                if kind == "input":
                    wave(f"{name}_i", bits, f"p_{port}_valid ? p_{port}.{field} : '0")
                else:
                    both(
                        name,
                        bits,
                        f"{valid} & {ready} ? p_{port}.{field} : '0",
                        f"{taken} ? m_{port}.{field} : '0",
                    )
            cpp.append(
                f'ports_.links.push_back({{"{port}", "{link}", {str(kind == "input").lower()}, '
                f"{signal(1, f'p_{port}_valid')}, {signal(1, f'p_{port}_ready')}, {signal(width(link), f'p_{port}')}, "
                f"{signal(1, f'm_{port}_taken')}, {model}}});"
            )
    for port, (memory, lanes) in m.memories.items():
        ports += [f"  output logic [31:0] p_{port}_addr,", f"  input  {lanes_of(memory, lanes)} p_{port},"]
        pins += [f".{port}_addr_o()", f".{port}_i(p_{port})"]
        body.append(f"  assign p_{port}_addr = 32'(u_dut.{port}_addr_o);")
        for i in range(count(lanes)):
            for field, bits in types[memory]:
                name = f"{lane(port, lanes, i).replace('[', '_').replace(']', '')}_{field.replace('.', '_')}_i"
                wave(name, bits, f"{lane(f'p_{port}', lanes, i)}.{field}")
        cpp.append(
            f'ports_.memories.push_back({{"{port}", "{memory}", {count(lanes)}, {signal(32, f"p_{port}_addr")}, '
            f"{signal(count(lanes) * width(memory), f'p_{port}')}}});"
        )
    for port, (write_, lanes) in m.writes.items():
        n = count(lanes)
        for side, into in (("p", "output"), ("m", "input ")):
            ports.append(f"  {into} logic [{n - 1}:0] {side}_{port}_valid,")
            ports.append(f"  {into} {lanes_of(write_, lanes)} {side}_{port},")
        pins += [f".{port}_valid_o(p_{port}_valid)", f".{port}_o(p_{port})"]
        for i in range(n):
            name = lane(port, lanes, i).replace("[", "_").replace("]", "")
            both(f"{name}_valid", 1, f"p_{port}_valid[{i}]", f"m_{port}_valid[{i}]")
            for field, bits in types[write_]:
                sides = [f"{s}_{port}_valid[{i}] ? {lane(f'{s}_{port}', lanes, i)}.{field} : '0" for s in "pm"]
                both(f"{name}_{field.replace('.', '_')}", bits, *sides)
        cpp.append(
            f'ports_.writes.push_back({{"{port}", "{write_}", {n}, {signal(n, f"p_{port}_valid")}, '
            f"{signal(n * width(write_), f'p_{port}')}, {signal(n, f'm_{port}_valid')}, "
            f"{signal(n * width(write_), f'm_{port}')}}});"
        )
    sources = lockstep_top.Sources(manifest.ROOT / "rtl")
    for name, said in m.probes_of(parameters).items():
        at, lanes = (said, 0) if isinstance(said, str) else (said[0], count(said[1]))
        path, file = sources.place(f"  {m.top} u_dut (", f"u_dut.{at}")
        for side, into in (("rtl", "output"), ("model", "input ")):
            ports.append(f"  {into} logic [63:0] {side}_{name}{f' [{lanes}]' if lanes else ''},")
        for i in range(lanes or 1):
            value = f"u_dut.{at}".replace("[lane]", f"[{i}]")
            body += [
                f"  assign rtl_{name}{f'[{i}]' if lanes else ''} = 64'({value});",
                # As in lockstep_top.py: Verilator says "Replication value of 0 ..." where it is wider.
                f"  wire probe_{name}_{i}_fits_in_64_bits = |{{($bits({value}) <= 64 ? 1 : 0) {{1'b1}}}};",
            ]
        if not lanes:
            waves.append(f"{name}[63:0]")
        first = "[0]" if lanes else ""
        cpp.append(
            f'ports_.probes.push_back({{"{name}", {lanes}, '
            + ", ".join(f"reinterpret_cast<std::uint64_t*>(&rtl_->{side}_{name}{first})" for side in ("rtl", "model"))
            + f', "{path}{f", {file}" if file else ""}"}});'
        )
    for name, value in parameters.items():
        cpp.append(f'ports_.parameters.push_back({{"{name}", {value}}});')
    for other, links in m.others.items():
        names = ", ".join(f'"{p}", "{link}"' for p, link in links.items())
        cpp.append(f'ports_.others.push_back({{"{other}", {{{names}}}}});')
    words = [name for name, _ in [*m.memories.values(), *m.writes.values()]]
    for link in dict.fromkeys([*m.inputs.values(), *m.outputs.values(), *words]):
        # C++ was made from the package of rtl/links; sources may come from another folder.
        body += [
            f"  if ($bits({link}_t) != {width(link)}) begin : gen_other_{link}",
            f'    $error("{link}_t has %0d bits, the model {width(link)}", $bits({link}_t));',
            "  end",
        ]
    for register, bits in m.settings.items():
        ports.append(f"  input  logic [{bits - 1}:0] p_{register},")
        pins.append(f".{register}_i(p_{register})")
        cpp.append(f'ports_.settings.push_back({{"{register}", {signal(bits, f"p_{register}")}}});')
    cpp.append(f'ports_.scope = "TOP.{m.name}_lockstep";')
    cpp.append("ports_.waves = {" + ", ".join(f'"{w}"' for w in waves) + "};")

    stimuli = []
    for at, expression in m.stimuli.items():
        port, _, field = at.rpartition(".")
        known = {**m.inputs, **{p: memory for p, (memory, _) in m.memories.items()}}
        if field not in (m.settings if not port else dict(types.get(known.get(port), []))):
            sys.exit(f"{source}: stimuli: {at}: no such field of an input or memory, and no such register")
        stimuli.append(f'if (port == "{port}" && field == "{field}") return value = std::uint64_t({expression}), true;')

    name = f"from {source.name}, generated by scripts/rtl/link_top.py"
    ports[-1] = ports[-1].rstrip(",")
    sv = [
        f"// The block {m.name} with both sides of its transfers, {name}.",
        "",
        f"module {m.name}_lockstep",
        "  import winnow_links_pkg::*;",
        "(",
        *ports,
        ");",
        "",
        f"  {m.top} #(" + ", ".join(f".{name}({value})" for name, value in parameters.items()) + ") u_dut ("
        if parameters
        else f"  {m.top} u_dut (",
        *[f"    {p}," for p in pins[:-1]],
        f"    {pins[-1]}",
        "  );",
        "",
        *body,
        "",
        "endmodule",
        "",
    ]
    write(
        out,
        {
            f"{m.name}_lockstep.sv": sv,
            f"{m.name}_ports.inc": [f"// Ports of {m.name} {name}.", *cpp],
            f"{m.name}_stimuli.inc": [f"// Stimuli of {m.name} {name}.", *stimuli],
        },
    )


if __name__ == "__main__":
    main()
