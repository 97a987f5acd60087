"""The command line: `python -m winnow_traces capture ...`, which `winnow capture` passes through."""

import argparse
import os
import sys
from pathlib import Path

from winnow_traces import __version__
from winnow_traces.errors import CaptureError

_DESCRIPTION = """\
Runs a real model on the first N tokens of a text, then M more, and writes the queries, keys and values of every
layer as an attention trace (traces/FORMAT.md).

  smollm2   SmolLM2-135M-Instruct, a decoder: 30 layers, 9 query heads over 3 KV heads, D 64
  gemma3    Gemma 3 270M, a decoder: 18 layers, 4 query heads over 1 KV head, D 256; at most 512 tokens, of which its
            begin token is the first (scripts/setup --gemma)
  minilm    all-MiniLM-L6-v2, an encoder: 6 layers, 12 heads, D 32; its [CLS] and [SEP] count as two of the N

No other decoder's text gets a begin token, and none a chat template.

With --policy golden is inside the model: what the policy's outputs make of later queries, keys and values is what the
trace holds, and a replay of it under that policy decides what this run decided."""
_EXAMPLES = """\
examples:
  winnow capture smollm2 --text book.txt --prompt 128 --generate 32 --teacher -o book.safetensors
  winnow capture minilm --text book.txt --prompt 128 -o book-encoder.safetensors
  winnow capture smollm2 --text book.txt --prompt 128 --generate 32 --policy "select v_bits=6" -o pruned.safetensors
  winnow capture --gguf tinyllama.gguf --text book.txt --prompt 500 --generate 12 -o tiny.safetensors
  winnow capture --hf folder-of-gpt2 --text book.txt --prompt 200 --generate 8 -o gpt2.safetensors"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise CaptureError(f"{self.prog}: {message}")


def _count(least):
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} must be a whole number >= {least}")
        return value

    return parse


def _parser():
    parser = _Parser(prog="winnow", description="Attention traces of real models.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="capture")
    capture = commands.add_parser(
        "capture",
        help="run a model on a text and write its attention trace",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        prog="winnow capture",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    capture.add_argument(
        "model",
        nargs="?",
        choices=["smollm2", "gemma3", "minilm"],
        metavar="MODEL",
        help="smollm2, gemma3 or minilm; or one of the next two instead",
    )
    capture.add_argument("--gguf", type=Path, metavar="PATH", help="a GGUF file of the llama or gemma3 architecture")
    capture.add_argument(
        "--hf",
        metavar="PATH_OR_NAME",
        help="folder or name of a Hugging Face model (like Llama, GPT-2 or BERT); needs scripts/setup --hf",
    )
    capture.add_argument("--text", type=Path, required=True, metavar="FILE", help="UTF-8 text")
    capture.add_argument("--prompt", type=_count(1), required=True, metavar="N", help="tokens of the prompt")
    capture.add_argument(
        "--generate",
        type=_count(0),
        default=0,
        metavar="M",
        help="tokens after the prompt, one a step, the most probable each (default 0)",
    )
    capture.add_argument("--teacher", action="store_true", help="take those M tokens from the text instead")
    capture.add_argument(
        "--policy",
        metavar="P",
        help='run under a policy: a name or a .yaml file, then settings: "select v_bits=6"',
    )
    capture.add_argument(
        "--mode",
        choices=["decode", "whole"],
        help="with --policy: only generated tokens run under it (decode, a decoder's default), or the prompt too "
        "(whole, an encoder's)",
    )
    capture.add_argument(
        "--basis",
        type=Path,
        metavar="FILE",
        help="of `winnow basis`: put into the trace, for policies with key_basis trace",
    )
    capture.add_argument("-o", "--output", type=Path, required=True, metavar="T.safetensors", help="trace to write")
    capture.add_argument("--force", action="store_true", help="replace T.safetensors if it exists")
    capture.add_argument(
        "--dtype",
        choices=["float16", "bfloat16", "float32"],
        default="float16",
        help="element type of q, k and v (default float16)",
    )
    capture.add_argument("--text-source", metavar="WORDS", help="where the text is from (default: the file's name)")
    capture.add_argument("--text-licence", metavar="WORDS", help="licence of the text (default: unknown)")
    capture.add_argument("--model-licence", metavar="WORDS", help="licence of the model (default: as its file says)")
    return parser


def run(arguments, under_policy=None):
    """Raises CaptureError. `under_policy(policy, mode, dtype)` gives what runs a model with golden inside: the
    argument `run` of capture(); it belongs to the package winnow."""
    options = _parser().parse_args(arguments)
    given = [name for name in ("model", "gguf", "hf") if getattr(options, name) is not None]
    if len(given) != 1:
        raise CaptureError("winnow capture: name one model: smollm2, gemma3, minilm, --gguf PATH or --hf PATH_OR_NAME")
    if options.teacher and not options.generate:
        raise CaptureError("winnow capture: --teacher needs --generate M")
    if options.mode and not options.policy:
        raise CaptureError("winnow capture: --mode needs --policy P")
    if options.policy and not under_policy:
        raise CaptureError("--policy needs the Python package: scripts/setup --python, then scripts/build")
    # Only now, so that --help and wrong arguments answer at once.
    from winnow_traces.basis_file import check_basis, read_basis
    from winnow_traces.capture import capture
    from winnow_traces.models import sha256_of
    from winnow_traces.source import Request
    from winnow_traces.sources import open_source
    from winnow_traces.trace_file import check_output, write_trace

    check_output(options.output, options.force)
    if options.gguf is not None and not options.gguf.is_file():
        raise CaptureError(f"{options.gguf}: no such file")
    request = Request(
        text=options.text,
        prompt=options.prompt,
        generate=options.generate,
        teacher=options.teacher,
        text_source=options.text_source,
        text_licence=options.text_licence,
        model_licence=options.model_licence,
    )
    source = open_source(model=options.model, gguf=options.gguf, hf=options.hf)
    basis = read_basis(options.basis) if options.basis else None
    if basis:
        check_basis(options.basis, basis, sha256_of(source.weights), options.prompt + options.generate)
    inside = under_policy(options.policy, options.mode, options.dtype, basis=basis) if options.policy else None
    trace = capture(source, request, inside)
    trace.key_basis = basis
    write_trace(options.output, trace, options.dtype)
    facts = trace.metadata()
    print(
        f"{options.output}: {facts['model']}: {facts['layers']} layers, {facts['heads']} heads over "
        f"{facts['kv_heads']} KV heads, D {facts['head_dim']}, {facts['prompt']} + "
        f"{int(facts['tokens']) - int(facts['prompt'])} tokens, {options.dtype}, "
        f"{options.output.stat().st_size:,} bytes"
    )
    if options.policy:
        print(
            f"under policy {facts['policy']}, mode {facts['policy_mode']}: {int(facts['policy_kv_bytes']):,} bytes of "
            "K and V read; a replay under it decides the same"
        )


def main(arguments=None):
    """Exit code 0, or 2 after one line on stderr."""
    try:
        run(sys.argv[1:] if arguments is None else arguments)
    except CaptureError as error:
        print(" ".join(f"error: {error}".split()), file=sys.stderr)
        return 2
    except MemoryError:
        print("error: not enough memory for this model and this many tokens", file=sys.stderr)
        return 2
    except Exception as error:  # a fault of ours or of a library: still one line, unless the trace is asked for
        if os.environ.get("WINNOW_TRACEBACK"):
            raise
        print(
            " ".join(f"error: {type(error).__name__}: {error}; WINNOW_TRACEBACK=1 shows where".split()), file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; nothing was written", file=sys.stderr)
        return 130
    return 0
