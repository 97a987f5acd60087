"""Tokenizers built from what a GGUF file carries. Each has encode(text) -> ids and strings(ids) -> list of str.

No token is added and none is parsed out of the text: "<|im_start|>" in a text is spelled out, not taken for the one
token.
"""

import heapq
import re

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from winnow_traces.errors import CaptureError

_LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)


_GPT2_SPLIT = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_PLAIN_SPLITS = (r"[\p{P}\$\+<=>\^~\|]+", _GPT2_SPLIT, r"\p{N}+", r"[0-9][0-9][0-9]")


def _byte_level():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def _by_expressions(*expressions):
    """Cuts by each expression in turn."""
    return pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(one), "isolated") for one in expressions),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


# tokenizer.ggml.pre -> (how text is cut before merging, whole words looked up before merging)
_SPLITTERS = {
    "smollm": (lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), _byte_level()]), False),
    "gpt-2": (_byte_level, False),
    "default": (lambda: _by_expressions(*_PLAIN_SPLITS), False),  # also of a file that names none
    "llama-bpe": (lambda: _by_expressions(_LLAMA3_SPLIT), True),
    "llama3": (lambda: _by_expressions(_LLAMA3_SPLIT), True),
}


class BytePairTokenizer:
    """GPT-2's byte-level BPE, as SmolLM2 and Llama 3 use it."""

    def __init__(self, tokens, merges, splitter):
        split, ignore_merges = _SPLITTERS[splitter]
        vocabulary = {token: index for index, token in enumerate(tokens)}
        pairs = [tuple(merge.split(" ", 1)) for merge in merges]
        self._tokenizer = Tokenizer(models.BPE(vocabulary, pairs, ignore_merges=ignore_merges))
        self._tokenizer.pre_tokenizer = split()
        self._tokenizer.decoder = decoders.ByteLevel()

    def encode(self, text):
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def strings(self, ids):
        return [self._tokenizer.decode([index], skip_special_tokens=False) for index in ids]


class SentencePieceTokenizer:
    """Llama 2's and Gemma's: characters joined pair by pair, the pair whose joined piece scores highest (leftmost of
    equals) first; what is no piece falls back to byte pieces. Pieces that a user defined (Gemma's line ends and runs of
    spaces) are cut out of the text before, the longest first."""

    _SPACE = "\u2581"
    _USER_DEFINED, _BYTE = 4, 6  # token types; of a byte: "<0x0A>"

    def __init__(self, tokens, scores, types, space_prefix):
        self._tokens = tokens
        self._ids = {token: index for index, token in enumerate(tokens)}
        self._scores = scores
        self._bytes = {int(token[1:-1], 16): index for index, token in enumerate(tokens) if types[index] == self._BYTE}
        self._space_prefix = space_prefix
        defined = sorted((token for token, kind in zip(tokens, types) if kind == self._USER_DEFINED), key=len)
        # One group, so that a split keeps them; without any, an expression that nothing matches.
        self._defined = re.compile("(" + ("|".join(map(re.escape, reversed(defined))) or r"(?!)") + ")")

    def encode(self, text):
        ids = []
        for index, part in enumerate(self._defined.split(text)):
            if index % 2:
                ids.append(self._ids[part])
            elif part:
                ids += self._join((" " if self._space_prefix else "") + part)
        return ids

    def _join(self, text):
        pieces = list(text.replace(" ", self._SPACE))
        left = list(range(-1, len(pieces) - 1))
        right = list(range(1, len(pieces))) + [-1]
        queue = []

        def offer(a, b):
            if a >= 0 and b >= 0:
                index = self._ids.get(pieces[a] + pieces[b])
                if index is not None:
                    heapq.heappush(queue, (-self._scores[index], a, b, pieces[a], pieces[b]))

        for a in range(len(pieces) - 1):
            offer(a, a + 1)
        while queue:
            _, a, b, first, second = heapq.heappop(queue)
            if pieces[a] != first or pieces[b] != second or right[a] != b:
                continue  # one of the two was joined meanwhile
            pieces[a], pieces[b] = first + second, ""
            right[a] = right[b]
            if right[b] >= 0:
                left[right[b]] = a
            offer(left[a], a)
            offer(a, right[a])
        return [index for piece in pieces if piece for index in self._look_up(piece)]

    def _look_up(self, piece):
        if piece in self._ids:
            return [self._ids[piece]]
        missing = [byte for byte in piece.encode("utf-8") if byte not in self._bytes]
        if missing:
            raise CaptureError(f"tokenizer.ggml.tokens: no piece for byte {missing[0]:#04x}, which the text holds")
        return [self._bytes[byte] for byte in piece.encode("utf-8")]

    def strings(self, ids):
        by_id = {index: byte for byte, index in self._bytes.items()}
        return [
            bytes([by_id[index]]).decode("utf-8", "replace")
            if index in by_id
            else self._tokens[index].replace(self._SPACE, " ")
            for index in ids
        ]


def tokenizer_of(gguf):
    """The tokenizer that a GGUF file (gguf_file.GgufFile) describes."""
    kind = gguf.text("tokenizer.ggml.model")
    tokens = gguf.listing("tokenizer.ggml.tokens", str)
    try:
        if kind == "gpt2":
            splitter = gguf.text("tokenizer.ggml.pre", "default")
            if splitter not in _SPLITTERS:
                raise CaptureError(
                    f"{gguf.path}: tokenizer.ggml.pre is {splitter!r}, known are {', '.join(_SPLITTERS)}"
                )
            return BytePairTokenizer(tokens, gguf.listing("tokenizer.ggml.merges", str), splitter)
        if kind == "llama":
            return SentencePieceTokenizer(
                tokens,
                gguf.listing("tokenizer.ggml.scores", float, len(tokens)),
                gguf.listing("tokenizer.ggml.token_type", int, len(tokens)),
                gguf.value("tokenizer.ggml.add_space_prefix", True),
            )
    except CaptureError:
        raise
    except Exception as error:  # the package tokenizers raises nothing more precise
        raise CaptureError(f"{gguf.path}: tokenizer.ggml: tokens and merges do not fit each other: {error}") from error
    raise CaptureError(f"{gguf.path}: tokenizer.ggml.model is {kind!r}, known are 'gpt2' and 'llama'")
