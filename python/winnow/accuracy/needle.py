"""A needle test: is a fact of long ago still found?

Into prose a sentence of ours is inserted, at a depth of the prompt: "The secret code of the quiet harbour is 48213."
After the prompt the prose goes on, and the window ends with the same words once more, up to "is", and the answer. The
prompt runs dense, question and answer run under the policy, each of the answer's tokens behind the right ones before
it. A fact is found if every token of its answer is the most likely one."""

from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from winnow._core import Error
from winnow.accuracy.texts import windows

DEPTHS = (10, 30, 50, 70, 90)
PROMPT, STEPS = 2016, 32  # 2,048 tokens in all

_KINDS = ("blue", "red", "green", "silver", "golden", "quiet", "northern", "southern", "old", "broken", "hidden")
_PLACES = ("harbour", "castle", "river", "garden", "bridge", "tower", "forest", "market", "library", "island")
_DIGITS = 5  # a guess is right once in 100,000


@dataclass(frozen=True)
class Needle:
    """The fact of one window, and where it stands."""

    question: str  # "\\n\\nThe secret code of the quiet harbour is"
    answer: str  # " 48213"
    depth: float  # per cent of the prompt's prose that stand before the fact
    at: int  # the window's token that the fact begins with,
    tokens: int  # and how many it has
    answer_tokens: int  # the last of the window

    @property
    def name(self):
        return self.question.removeprefix("\n\nThe secret code of the ").removesuffix(" is")


def _fact(seed, window):
    """(question, answer): the same for every model and text."""
    rng = np.random.default_rng([seed, window])
    kind, place = _KINDS[rng.integers(len(_KINDS))], _PLACES[rng.integers(len(_PLACES))]
    code = "".join(str(digit) for digit in rng.integers(0, 10, _DIGITS))
    return f"\n\nThe secret code of the {kind} {place} is", f" {code}"


def check_depths(depths):
    """Raises Error where a depth is none."""
    if not depths:
        raise Error("--depths: must name at least one")
    for depth in depths:
        if not 0 <= depth <= 100:
            raise Error(f"--depths: {depth:g}: must be 0..100, per cent of the prompt")


def needle_windows(text, encode, prompt, steps, count, seed, depths=DEPTHS, before=()):
    """(ids [count, prompt + steps + 1], a Needle each). Window i is prose as texts.windows cuts it, the ids `before` in
    front. It has a fact at depths[i mod their number] in the prompt, and ends with the question and the answer. The
    first windows of a larger count are those of a smaller one. Raises Error."""
    check_depths(depths)
    before = list(before)
    length = prompt + steps + 1
    prose = windows(text, encode, length - len(before), count, seed).tolist()
    rows, needles = [], []
    for window, words in enumerate(prose):
        question, answer = _fact(seed, window)
        fact, asked = encode(f"{question}{answer}.\n\n"), encode(question + answer)
        # What a tokenizer joins across the border is the answer's.
        told = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(encode(question), asked)))
        if len(asked) > steps + 1:
            raise Error(f"--steps: {steps}: must be at least {len(asked) - 1}, for question and answer")
        room = prompt - len(before) - len(fact)  # of the prompt's prose
        if room < 1:
            raise Error(f"--prompt: {prompt}: must be at least {prompt - room + 1}, for the fact and some prose")
        depth = depths[window % len(depths)]
        at = round(room * depth / 100)
        rest = length - len(before) - len(fact) - len(asked)
        rows.append([*before, *words[:at], *fact, *words[at:rest], *asked])
        needles.append(Needle(question, answer, depth, len(before) + at, len(fact), len(asked) - told))
    return np.asarray(rows, np.int32), needles
