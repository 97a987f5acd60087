"""Tokenizers against llama.cpp's tokens of the same vocabularies, as scripts/verify_forward recorded them."""

import hashlib
import json
from pathlib import Path

import pytest
from tiny_models import TOKENIZERS, difficult_text, write_llama
from winnow_traces.errors import CaptureError
from winnow_traces.gguf_file import GgufFile
from winnow_traces.tokenizer import tokenizer_of

RECORD = json.loads((Path(__file__).parent / "data" / "tokenizers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_same_tokens_as_llama_cpp(kind, tmp_path, text_file, compared):
    text = difficult_text(text_file.read_text(encoding="utf-8"))
    assert hashlib.sha256(text_file.read_bytes()).hexdigest() == RECORD["text_sha256"]
    write_llama(tmp_path / "words.gguf", text, vocabulary=kind, weights=False)
    tokenizer = tokenizer_of(GgufFile(tmp_path / "words.gguf"))
    ids = tokenizer.encode(text)
    assert ids == RECORD["token_ids"][kind]
    strings = tokenizer.strings(ids)
    assert len(strings) == len(ids)
    # What is not split into bytes can be put together again, and special tokens stay spelled out.
    joined = "".join(strings)
    assert joined.lstrip().startswith("Chapter 1. Hacker Slang") and joined.endswith("<|im_start|> </s>  end   \n")
    compared("token ids", len(ids))


def test_no_text_no_tokens(tmp_path, text_file, compared):
    for kind in TOKENIZERS:
        write_llama(tmp_path / "words.gguf", text_file.read_text(encoding="utf-8"), vocabulary=kind, weights=False)
        assert tokenizer_of(GgufFile(tmp_path / "words.gguf")).encode("") == []
    compared("tokenizers", len(TOKENIZERS))


def test_unknown_tokenizer_is_refused(tmp_path, text_file, compared):
    write_llama(tmp_path / "words.gguf", text_file.read_text(encoding="utf-8"), vocabulary="qwen2", weights=False)
    with pytest.raises(CaptureError, match=r"tokenizer\.ggml\.pre is 'qwen2', known are smollm"):
        tokenizer_of(GgufFile(tmp_path / "words.gguf"))
    compared("message", 1)
