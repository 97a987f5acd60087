"""Policies and machines as objects: every key, the command line's checks and words."""

import pytest
import winnow
import yaml
from conftest import ROOT, line_of_error
from conftest import winnow as command


def flat(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def attribute(made, key):
    for part in key.split("."):
        made = getattr(made, part)
    return made


@pytest.mark.parametrize(
    "kind, made, names",
    [("policies", winnow.Policy, winnow.policies()), ("machines", winnow.Machine, winnow.machines())],
)
def test_every_key_is_the_command_line_s(kind, made, names, compared):
    assert len(names) >= 5
    for name in names:
        code, shown, _ = command(kind, "--show", name)
        assert code == 0
        mine = made(name)
        assert mine.yaml() == shown
        expected = dict(flat(yaml.safe_load(shown)))
        assert expected.pop("name") == mine.name
        values = {key: value for key, value in mine.as_dict().items() if key != "name"}
        # An empty list is `none` in a file.
        expected = {
            key: [] if value == "none" and isinstance(values[key], list) else value for key, value in expected.items()
        }
        assert values == expected
        for key, value in expected.items():
            assert attribute(mine, key) == value, key
        compared(2 * len(expected))


def test_every_key_is_documented(compared):
    for made, example in ((winnow.Policy, "dense"), (winnow.Machine, "spatten")):
        infos = made(example).parameters()
        for info in infos:
            owner = made
            *sections, name = info.key.split(".")
            for section in sections:
                owner = getattr(owner, section).made
            assert info.doc in getattr(owner, name).__doc__
            assert info.rule.startswith("must ")
        compared(len(infos))


def test_every_key_can_be_set_to_what_it_is(compared):
    for made, names in ((winnow.Policy, winnow.policies()), (winnow.Machine, winnow.machines())):
        for name in names:
            mine = made(name)
            before = mine.as_dict()
            for key, value in before.items():
                mine[key] = value
            assert mine.as_dict() == before
            assert mine.changes() == []
            compared(len(before))


def test_values_by_every_way():
    policy = winnow.Policy("select", v_bits=6, select_keep=[0.95], k_digits=(3, 3))
    assert (policy.v_bits, policy.select_keep, policy.k_digits) == (6, [0.95], [3, 3])
    assert policy.changes() == ["policy.k_digits=3,3", "policy.v_bits=6", "policy.select_keep=0.95"]
    spatten = winnow.Policy("spatten", tokens={"start": 0.9, "end": 0.5})
    spatten.tokens.end = 0.4
    assert spatten.tokens.start == 0.9 and spatten["tokens.end"] == 0.4
    spatten.tokens.avg = 0.8
    assert (spatten.tokens.start, spatten.tokens.end) == (1.0, 0.6000000000000001)
    machine = winnow.Machine("spatten", qk={"sram": {"tokens": 2048}}, heads_in_flight=3)
    assert machine.qk.sram.tokens == 2048 and machine.heads_in_flight == 3
    copy = machine.changed(heads_in_flight=4)
    assert (copy.heads_in_flight, machine.heads_in_flight, copy.qk.sram.tokens) == (4, 3, 2048)
    assert copy != machine and machine == winnow.Machine(machine)


def test_numpy_numbers():
    numpy = pytest.importorskip("numpy")
    policy = winnow.Policy("select", v_bits=numpy.int64(7), select_keep=[numpy.float64(0.9)])
    assert policy.v_bits == 7 and policy.select_keep == [0.9]


def test_a_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(winnow.Policy("select", v_bits=5).yaml().replace("name: select", "name: mine"))
    policy = winnow.Policy(path)
    assert (policy.name, policy.v_bits, policy.base) == ("mine", 5, str(path))


TRACE = ROOT / "traces/samples/minilm-128.safetensors"


@pytest.mark.parametrize(
    "kind, name, key, value",
    [
        ("policy", "select", "v_bits", 99),
        ("policy", "select", "v_bits", "six"),
        ("policy", "select", "v_bitz", 6),
        ("policy", "select", "msb", "up"),
        ("policy", "select", "rest", 3),
        ("policy", "select", "select_keep", [1.5]),
        ("policy", "select", "k_digits", [4, 4, 4]),
        ("policy", "spatten", "tokens.start", 2),
        ("policy", "spatten", "tokens.stat", 1),
        ("policy", "dense", "threshold", "0.1.2"),
        ("machine", "spatten", "hbm2.channels", 3),
        ("machine", "spatten", "heads_in_flight", 0),
        ("machine", "spatten", "pv.multipliers", 256),
        ("machine", "spatten", "arrays", "both"),
    ],
)
def test_errors_have_the_command_line_s_words(kind, name, key, value):
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    line = line_of_error("run", TRACE, f"--{kind}", name, "--set", f"{key}={text}")
    made = winnow.Policy if kind == "policy" else winnow.Machine
    with pytest.raises(winnow.Error) as caught:
        made(name, **{key: value})
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == line


def test_unknown_names():
    for made, option in ((winnow.Policy, "--policy"), (winnow.Machine, "--machine")):
        line = line_of_error("run", TRACE, option, "nonesuch")
        with pytest.raises(winnow.Error) as caught:
            made("nonesuch")
        assert str(caught.value) == line


def test_unknown_attributes_are_refused():
    policy = winnow.Policy("select")
    with pytest.raises(winnow.Error, match="did you mean v_bits"):
        policy.v_bit = 6
    with pytest.raises(winnow.Error, match=r"tokens\.start"):
        policy.tokens.starts = 0.5
    assert "v_bit" not in vars(policy)


def test_repr():
    assert repr(winnow.Policy("select", v_bits=6)) == "<Policy select, policy.v_bits=6>"
    assert "start=1.0" in repr(winnow.Policy("select").tokens)
