"""The command line of `winnow basis`."""

from pathlib import Path

from winnow._core import Error
from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Measures on a text the basis in which a decoder's queries are white and its keys uncorrelated, for every KV head, and
writes it to a file: winnow accuracy --basis takes it, for policies with key_basis trace, and winnow capture --basis
puts it into a trace. Keys depend on their positions: --tokens has to be as long as any sentence that it is for."""
_EXAMPLES = """\
examples:
  winnow basis smollm2 --text calibration -o smollm2.basis.safetensors
  winnow basis smollm2 --text calibration --tokens 2048 --windows 8 -o smollm2-2048.basis.safetensors"""


def parser():
    made = command_parser("basis", _DESCRIPTION, _EXAMPLES)
    made.add_argument(
        "model", nargs="?", metavar="MODEL", help="smollm2 or gemma3, or a .gguf file (scripts/setup --models, --gemma)"
    )
    made.add_argument("--hf", metavar="PATH_OR_NAME", help="a decoder in Hugging Face's form instead")
    made.add_argument(
        "--text", required=True, metavar="F", help="a file; or calibration, test, held-out (scripts/setup --texts)"
    )
    made.add_argument("--tokens", type=int, default=512, metavar="N", help="of a window (default 512)")
    made.add_argument("--windows", type=int, default=24, metavar="N", help="of the text (default 24)")
    made.add_argument("--seed", type=int, default=1, metavar="N", help="of the choice of windows (default 1)")
    made.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="a .safetensors file")
    made.add_argument("--force", action="store_true", help="replace it if it exists")
    return made


def run(arguments):
    """Raises Error, or winnow_traces' CaptureError."""
    options = parser().parse_args(arguments)
    # Only now, so that --help and wrong arguments answer at once.
    from winnow_traces.basis_file import write_basis

    from winnow.accuracy.basis import measure
    from winnow.accuracy.evaluation import cut
    from winnow.accuracy.models import open_model
    from winnow.accuracy.texts import open_text

    if options.output.exists() and not options.force:
        raise Error(f"{options.output}: exists: --force replaces it")
    for label, value, least in (("--tokens", options.tokens, 3), ("--windows", options.windows, 1)):
        if value < least:
            raise Error(f"{label}: {value}: must be at least {least}")
    text, subject = open_text(options.text), open_model(options.model, options.hf)
    if not subject.decoder:
        raise Error(f"basis: {subject.title}: is an encoder: only a decoder has generation steps")
    if options.windows * (options.tokens - 1) < 2 * subject.model.shape.head_dim:
        raise Error(
            f"--windows: {options.windows} of {options.tokens} tokens: must hold at least twice as many keys as a head "
            f"has channels, {subject.model.shape.head_dim}"
        )
    subject.check(options.tokens)
    basis = measure(subject.model, cut(subject, text, options.tokens, options.windows, options.seed))
    basis.facts.update(
        model=subject.title,
        model_sha256=subject.sha256,
        text=text.name,
        text_sha256=text.sha256,
        text_licence=text.licence,
        tokens=str(options.tokens),
        windows=str(options.windows),
        seed=str(options.seed),
    )
    write_basis(options.output, basis)
    print(
        f"{subject.title}: {options.windows} windows of {options.tokens} tokens of {text.name}, seed {options.seed}, "
        f"text {text.sha256[:12]}"
    )
    print(f"basis in {options.output}")
