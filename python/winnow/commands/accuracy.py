"""The command line of `winnow accuracy`."""

import json
from pathlib import Path

from winnow._core import Error
from winnow.commands.parser import command_parser

_DESCRIPTION = """\
Runs golden's attention inside a model, under policies, on windows of a text, and says what each does to the model's
accuracy, and how many bytes of K and V a token reads. The change of perplexity is paired with the dense float model on
the same windows. docs/accuracy.md says how to read it.

  smollm2   a decoder: perplexity. Each window's prompt runs dense, then --steps tokens under the policy
  gemma3    another decoder, of 512 tokens at most
  minilm    an encoder: its embedding against dense float's"""
_EXAMPLES = """\
examples:
  winnow accuracy smollm2 --policy select --text test
  winnow accuracy smollm2 --policy "select k_digits=3,3 select_keep=0.98 v_bits=6" --policy winnow --text test -o acc
  winnow accuracy smollm2 --policy select --policy sink-window --text test --windows 10 --needle
  winnow accuracy --hf folder-of-a-llama --policy select --text book.txt
  winnow accuracy minilm --policy spatten --text test --windows 96"""


def parser():
    made = command_parser("accuracy", _DESCRIPTION, _EXAMPLES)
    made.add_argument(
        "model",
        nargs="?",
        metavar="MODEL",
        help="smollm2 or minilm (scripts/setup --models), gemma3 (scripts/setup --gemma), or a .gguf file",
    )
    made.add_argument(
        "--hf",
        metavar="PATH_OR_NAME",
        help="a decoder in Hugging Face's form instead, by its folder or name (scripts/setup --hf)",
    )
    made.add_argument(
        "--policy",
        action="append",
        required=True,
        metavar="P",
        help='a name or a .yaml file, then settings: "select v_bits=6"; more than one are evaluated together',
    )
    made.add_argument(
        "--text", required=True, metavar="F", help="a file; or calibration, test, held-out (scripts/setup --texts)"
    )
    made.add_argument(
        "--basis", metavar="FILE", help="of `winnow basis`, for policies with key_basis trace, as coded is"
    )
    made.add_argument("--windows", type=int, default=24, metavar="N", help="windows of the text (default 24)")
    made.add_argument(
        "--needle", action="store_true", help="instead: is a fact that stands in the prompt found when it is asked for?"
    )
    made.add_argument(
        "--depths",
        metavar="N,...",
        help="of --needle: where the fact stands, per cent of the prompt (default 10,30,50,70,90)",
    )
    made.add_argument(
        "--prompt",
        type=int,
        metavar="N",
        help="tokens before the policy begins (default 448; minilm 256; --needle 2016)",
    )
    made.add_argument("--steps", type=int, metavar="N", help="tokens under the policy (default 64; --needle 32)")
    made.add_argument(
        "--mode", default="decode", metavar="M", help="decode: the prompt is dense float; whole: under the policy too"
    )
    made.add_argument("--seed", type=int, default=1, metavar="N", help="of the choice of windows (default 1)")
    made.add_argument("--threads", type=int, metavar="N", help="of golden's attention (default: all cores)")
    made.add_argument("-o", "--output", type=Path, metavar="DIR", help="write accuracy.json, accuracy.csv, windows.csv")
    made.add_argument("--force", action="store_true", help="replace them if they exist")
    made.add_argument(
        "--cache", metavar="DIR", default="results/accuracy-cache", help="results by content (default %(default)s)"
    )
    made.add_argument("--no-cache", action="store_true", help="look nothing up, keep nothing")
    return made


def _aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(line.rstrip() for line in lines)


def _needle_table(report):
    """The first row is dense float."""
    of, facts = report.facts["windows"], report.facts
    by_depth = facts["found by dense float by depth"]

    def shares(found, low, high):
        return [f"{round(found * of)} of {of}", f"{100 * low:.0f} .. {100 * high:.0f} %"]

    def at_depths(row):
        return [f"{100 * row[key]:.0f} %" for key in by_depth]

    dense = shares(facts["found by dense float"], *facts["interval of dense float"])
    rows = [
        ["policy", "found", "95 % interval", "lost", "gained", "nll a token", "change"]
        + [f"at {key.removeprefix('found_at_')} %" for key in by_depth]
        + ["K and V a token", "below 12 bit", "left"],
        ["dense float", *dense, "", "", f"{facts['answer nll of dense float']:.3f}", ""]
        + [*at_depths(by_depth), "", "", ""],
    ]
    for row in report.table.to_dict("records"):
        rows.append(
            [row["policy"], *shares(row["found"], row["found_low"], row["found_high"])]
            + [str(row["lost"]), str(row["gained"]), f"{row['answer_nll']:.3f}"]
            + [f"{row['answer_nll_change']:+.3f} ± {row['standard_error']:.3f}", *at_depths(row)]
            + [f"{row['kv_bytes_a_token'] / 1000:,.1f} kB", f"{row['below_12_bit']:.2f}x"]
            + [f"{100 * row['tokens_left']:.0f} %"]
        )
    return _aligned(rows)


def _depths(words):
    try:
        return [float(word) for word in words.split(",")]
    except ValueError:
        raise Error(f"--depths: {words!r}: must be numbers with commas between") from None


def _table(report):
    if "depths" in report.facts:
        return _needle_table(report)
    if "perplexity" in report.table:
        head = [
            "policy",
            "perplexity",
            "change",
            "95 % interval",
            "K and V a token",
            "below FP32",
            "below 12 bit",
            "left",
        ]
        cells = [
            [
                row.policy,
                f"{row.perplexity:.3f}",
                f"{row.change_per_cent:+.2f} % ± {row.standard_error:.2f}",
                f"{row.interval_low:+.2f} .. {row.interval_high:+.2f} %",
                f"{row.kv_bytes_a_token / 1000:,.1f} kB",
                f"{row.below_fp32:.2f}x",
                f"{row.below_12_bit:.2f}x",
                f"{100 * row.tokens_left:.0f} %",
            ]
            for row in report.table.itertuples()
        ]
        if (report.table["basis_bytes_a_token"] > 0).any():
            head.append("with tables")  # of keys in a basis of their own, below FP32
            for row, of in zip(cells, report.table.itertuples()):
                row.append(f"{of.below_fp32_with_basis:.2f}x")
    else:
        head = ["policy", "cosine", "least", "rank correlation", "same nearest", "below FP32", "below 12 bit", "left"]
        cells = [
            [
                row.policy,
                f"{row.cosine:.4f} ± {row.standard_error:.4f}",
                f"{row.cosine_min:.4f}",
                f"{row.rank_correlation:.4f}",
                f"{row.same_nearest:.2f}",
                f"{row.below_fp32:.2f}x",
                f"{row.below_12_bit:.2f}x",
                f"{100 * row.tokens_left:.0f} %",
            ]
            for row in report.table.itertuples()
        ]
    return _aligned([head, *cells])


FILES = ("accuracy.json", "accuracy.csv", "windows.csv")


def _check_output(folder, force):
    for name in FILES:
        if (folder / name).exists() and not force:
            raise Error(f"{folder / name}: exists: --force replaces it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Error(f"{folder}: {error.strerror}") from error


def _write(report, folder):
    facts = {**report.facts, "policies": report.table.to_dict("records")}
    (folder / FILES[0]).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    report.table.to_csv(folder / FILES[1], index=False)
    report.windows.to_csv(folder / FILES[2], index=False)


def run(arguments):
    """Raises Error, or winnow_traces' CaptureError."""
    options = parser().parse_args(arguments)
    # Only now, so that --help and wrong arguments answer at once.
    from winnow.accuracy import needle
    from winnow.accuracy.evaluation import evaluate

    if options.depths is not None and not options.needle:
        raise Error("--depths: are of --needle: must be given with it")
    if options.needle:
        depths = needle.DEPTHS if options.depths is None else _depths(options.depths)
    if options.output is not None:
        _check_output(options.output, options.force)
    report = evaluate(
        options.model,
        options.policy,
        options.text,
        hf=options.hf,
        windows_count=options.windows,
        prompt=options.prompt,
        steps=options.steps,
        mode=options.mode,
        seed=options.seed,
        depths=depths if options.needle else None,
        basis=options.basis,
        cache=None if options.no_cache else options.cache,
        threads=options.threads,
    )
    facts = report.facts
    steps = f" + {facts['steps']}" if facts["steps"] else ""
    print(
        f"{facts['model']}: {facts['windows']} windows of {facts['prompt']}{steps} tokens of {facts['text']}, ", end=""
    )
    print(f"seed {facts['seed']}, mode {facts['mode']}")
    if "perplexity of dense float" in facts:
        print(f"dense float: perplexity {facts['perplexity of dense float']:.3f}")
    print()
    print(_table(report))
    print()
    rate = f", {report.tokens_a_minute:,.0f} tokens a minute" if report.tokens_a_minute else ""
    print(f"{report.computed} windows computed{rate}; {report.found} found in the cache")
    if options.output is not None:
        _write(report, options.output)
        print(f"results in {options.output}")
