"""(11) Output error against the pruning ratio."""

import winnow
from winnow.reproduce import plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table

TOKENS = [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]  # mean share that is kept
HEADS = [1.0, 0.95, 0.9, 0.85, 0.8, 0.7]


def error_of(run, what):
    """The length of (output - float attention's) over that of the latter, mean of layers. Nobody asks for outputs of
    pruned tokens, and they do not count; a pruned head's are asked for, and count as 0."""
    return run.value("summary.output_error_all_mean" if what == "heads" else "summary.output_error_mean")


def variants():
    """{name: (swept values, Policy of a value)}."""

    def tokens(share, **more):
        start = min(1.0, 1.5 * share)  # as the shorthand `avg` has it, which ends at a half
        return winnow.Policy("dense", tokens={"start": start, "end": 2 * share - start}, **more)

    return {
        "tokens, the paper's rule": (TOKENS, tokens),
        "tokens, first and newest protected": (
            TOKENS,
            lambda share: tokens(share, protect_first=4, protect_newest=16, importance="decay"),
        ),
        "local values": (TOKENS, lambda share: winnow.Policy("dense", local_value=share, local_value_resident="prune")),
        "heads": (HEADS, lambda share: winnow.Policy("dense", heads={"avg": share})),
    }


def reproduce(m):
    made, rows, errors = Result(), [], {}
    for name, on in ((m.decoder_name, m.on_decoder), (m.encoder_name, m.on_encoder)):
        curves = {}
        for what, (shares, policy) in variants().items():
            xs, ys = [], []
            for share in shares:
                run = on("spatten", policy(share), engine="golden")
                error = error_of(run, what)
                rows.append([name, what, share, run.value("summary.tokens_kept"), error])
                errors[name, what, share] = error
                xs.append(100 * (1 - share))
                ys.append(100 * error)
            curves[what] = (xs, ys)
        made.figures.append(
            plots.lines(
                f"pruning-{len(made.figures)}",
                f"Output error by what is pruned, {name}",
                "One technique alone, all else dense at 12 bit. The share is the mean over layers, as a policy's "
                "`avg`.",
                "golden's output error, mean of the layers",
                curves,
                "pruned on average, %",
                "output error, %",
            )
        )
    made.tables.append(
        Table(
            "pruning",
            "Output error by the share that is kept",
            ["trace", "what is pruned", "share kept, mean of layers", "tokens kept", "output error"],
            rows,
        )
    )
    rule, kept = "tokens, the paper's rule", 0.5
    for name in (m.decoder_name, m.encoder_name):
        made.besides.append(
            Beside(
                f"output error with half of the tokens pruned, {name}",
                None,
                100 * errors[name, rule, kept],
                "%",
                "with first and newest tokens protected "
                f"{100 * errors[name, 'tokens, first and newest protected', kept]:.0f} %; the paper gives task "
                "accuracy after fine-tuning, which is another measure",
            )
        )
    decoder, encoder = m.decoder_name, m.encoder_name
    made.cause = (
        f"Dense at 12 bit has {100 * errors[decoder, rule, 1.0]:.2f} %. In the decoder, dropping 10 % of the tokens "
        f"costs {100 * errors[decoder, rule, 0.9]:.0f} %, and local values are milder: half of them cost "
        f"{100 * errors[decoder, 'local values', 0.5]:.1f} %. In the encoder half of the tokens cost "
        f"{100 * errors[encoder, rule, 0.5]:.0f} %. The paper's models learn to do without pruned tokens by "
        "fine-tuning; these models have not."
    )
    made.not_had.append(
        NotHad(
            "accuracy of fine-tuned BERT and GPT-2 against the pruning ratio",
            "nothing is fine-tuned here; perplexity of a real model under policies is `winnow accuracy` "
            "(docs/accuracy.md)",
        )
    )
    return made


ARTEFACT = Artefact(
    11,
    "pruning",
    "Output error against the pruning ratio",
    "Accuracy of a task is drawn against the share of pruned tokens, and of pruned heads, after fine-tuning; "
    "attention's own error is not given (V, evaluation)",
    "Golden on both real traces, one technique at a time, outputs against float attention. Open loop: a layer's error "
    "does not reach the next.",
    reproduce,
)
