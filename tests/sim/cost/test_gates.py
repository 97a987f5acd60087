"""Toggles and energy of netlists whose answer is known by hand (scripts/cost/gates.py)."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts/cost"))
import gates

LIBERTY = """
library (small) {
  capacitive_load_unit (1,ff);
  leakage_power_unit : "1nW";
  nom_voltage : 2.0;
  cell (XOR2) {
    cell_leakage_power : 3.0;
    pin (A) { direction : input; capacitance : 1.5; }
    pin (B) { direction : input; capacitance : 2.5; }
    pin (Z) {
      function : "(A ^ B)";
      internal_power () { related_pin : "A"; when : "!B";
        rise_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("4,6", "9,9"); }
        fall_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("6,8", "9,9"); } }
      internal_power () { related_pin : "A"; when : "B";
        rise_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("1,1", "9,9"); }
        fall_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("1,1", "9,9"); } }
      internal_power () { related_pin : "B"; when : "!A";
        rise_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("7,7", "9,9"); }
        fall_power (t) { index_1 ("0.01,0.1"); index_2 ("0,10"); values ("7,7", "9,9"); } }
    }
  }
  cell (DFF) {
    cell_leakage_power : 5.0;
    ff ("IQ" , "IQN") { next_state : "D"; clocked_on : "CK"; }
    pin (D) { capacitance : 1.0; }
    pin (CK) { capacitance : 0.5; internal_power () { rise_power (s) {values ("2.0");}
      fall_power (s) {values ("3.0");} } }
    pin (Q) { function : "IQ"; internal_power () { related_pin : "CK"; rise_power (s) {values ("4.0");}
      fall_power (s) {values ("4.0");} } }
    pin (QN) { function : "IQN"; internal_power () { related_pin : "CK"; rise_power (s) {values ("8.0");}
      fall_power (s) {values ("8.0");} } }
  }
}
"""


@pytest.fixture
def library():
    return gates.Library(LIBERTY)


def netlist(library, cells, **ports):
    module = {
        "ports": {n: {"direction": d, "bits": b} for n, (d, b) in ports.items()},
        "cells": {
            f"c{i}": {"type": t, "connections": {p: [b] for p, b in c.items()}} for i, (t, c) in enumerate(cells)
        },
    }
    return gates.Netlist(module, library)


def test_a_toggle_of_one_input_takes_its_own_table(library):
    n = netlist(library, [("XOR2", dict(A=2, B=3, Z=4))], a=("input", [2]), b=("input", [3]), z=("output", [4]))
    clock, work, leakage = gates.energies(n, library, {2: (1.0, 0.5), 3: (0.0, 0.0), 4: (1.0, 0.5)})
    # Table A when !B at no load: (4 + 6) / 2; pin A: half of 1.5 fF at 2 V.
    assert (clock, leakage) == (0, 3.0)
    assert work == pytest.approx(5 + 0.5 * 1.5 * 4)


def test_tables_by_input_and_state_are_weighed(library):
    n = netlist(library, [("XOR2", dict(A=2, B=3, Z=4))], a=("input", [2]), b=("input", [3]), z=("output", [4]))
    _, work, _ = gates.energies(n, library, {2: (1.0, 0.5), 3: (0.5, 0.5), 4: (1.0, 0.5)})
    weighed = (1 * 0.5 * 5 + 1 * 0.5 * 1 + 0.5 * 0.5 * 7) / (0.5 + 0.5 + 0.25)
    assert work == pytest.approx(weighed + 0.5 * 4 * (1.5 + 0.5 * 2.5))


def test_load_lies_between_the_columns(library):
    cells = [("XOR2", dict(A=2, B=3, Z=4)), ("XOR2", dict(A=4, B=3, Z=5)), ("XOR2", dict(A=4, B=4, Z=6))]
    n = netlist(library, cells, a=("input", [2]), b=("input", [3]))
    _, work, _ = gates.energies(n, library, {2: (1.0, 0.5), 3: (0.0, 0.0), 4: (1.0, 0.5)})
    load = 1.5 + 1.5 + 2.5
    assert work == pytest.approx(5 + 2 * load / 10 + 0.5 * 4 * (1.5 + load))


def test_a_flip_flop_takes_its_clock_always_and_its_change_once(library):
    n = netlist(library, [("DFF", dict(D=2, CK=9, Q=3))], d=("input", [2]), clk_i=("input", [9]), q=("output", [3]))
    clock, work, leakage = gates.energies(n, library, {2: (0.0, 0.5), 3: (0.0, 0.5)})
    assert (clock, work, leakage) == (pytest.approx(2 * 2.5 + 0.5 * 4), 0, 5.0)
    _, work, _ = gates.energies(n, library, {2: (1.0, 0.5), 3: (1.0, 0.5)})
    assert work == pytest.approx(0.5 * (4 + 8) + 0.5 * 1.0 * 4)


def test_toggles_are_counted_in_every_stream(library):
    cells = [("XOR2", dict(A=2, B=4, Z=3)), ("DFF", dict(D=3, CK=9, Q=4))]
    n = netlist(library, cells, t=("input", [2]), clk_i=("input", [9]), q=("output", [4]))
    every, half = (1 << gates.LANES) - 1, (1 << gates.LANES // 2) - 1
    # A counter's last bit: half of the streams count, the others stand.
    found = n.activity(lambda cycle: {"t": [half]}, cycles=64, warm_up=2)
    assert found[4] == (pytest.approx(0.5), pytest.approx(0.25))
    assert n.activity(lambda cycle: {"t": [every]}, cycles=64, warm_up=2)[4] == (pytest.approx(1), pytest.approx(0.5))


def test_a_loop_of_gates_is_refused(library):
    cells = [("XOR2", dict(A=2, B=4, Z=3)), ("XOR2", dict(A=3, B=2, Z=4))]
    with pytest.raises(SystemExit, match="combinational loop"):
        netlist(library, cells, a=("input", [2]))


def test_other_units_are_refused():
    with pytest.raises(SystemExit, match="1 ff and 1nW"):
        gates.Library(LIBERTY.replace("(1,ff)", "(1,pf)"))
