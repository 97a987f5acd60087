"""(1) DRAM access by technique."""

from winnow.reproduce import paper, plots
from winnow.reproduce.artefact import Artefact, Beside, NotHad, Result, Table
from winnow.reproduce.techniques import NAMES, STEPS, subjects

WIDTHS = [("FP32", 32), ("FP16", 16)]


def left_after(subject):
    """[(name, bytes of K and V)] from FP32 on. What is asked for, without what a burst brings beside it."""
    wide = [(f"all as {name}", subject.dense * bits / 12) for name, bits in WIDTHS]
    return wide + [(NAMES[step], float(subject.bytes[step])) for step in STEPS]


def bits_of_an_element(subject):
    """Mean bits of a number of K and V that is read, everything on."""
    return 12 * subject.bytes["bits"] / subject.bytes["local values"]


def reproduce(m):
    made = Result()
    found = subjects(m)
    rows, reductions = [], {}
    for subject in found:
        name, steps = subject.name, left_after(subject)
        left = dict(steps)
        fp32, twelve, last = steps[0][1], left[NAMES["12 bit"]], steps[-1][1]
        reductions[name] = (fp32 / last, fp32 / 2 / last, twelve / last)
        rows += [
            [name, step, value, fp32 / value, fp32 / 2 / value, twelve / value, before / value]
            for (step, value), before in zip(steps, [fp32, *(value for _, value in steps)])
        ]
        bits = bits_of_an_element(subject)
        tokens_and_values = (left[NAMES["12 bit"]] / left[NAMES["tokens"]]) * (
            left[NAMES["heads"]] / left[NAMES["local values"]]
        )
        heads = left[NAMES["tokens"]] / left[NAMES["heads"]]
        gpt2 = name.startswith("GPT-2")
        made.besides += [
            Beside(
                f"tokens and local values, {name}",
                paper.TOKENS_AND_VALUES_GPT2 if gpt2 else paper.TOKENS_AND_VALUES,
                tokens_and_values,
                "x",
                "one model's file; the paper's figure is a mean over eight benchmarks of GPT-2"
                if gpt2
                else "one sentence at the policy's ratios; the paper tunes ratios to each task and takes a mean over "
                "30",
            ),
            Beside(
                f"heads, {name}",
                paper.HEADS,
                heads,
                "x",
                ("this file prunes no head" if gpt2 else "a KV head is read while any of its three query heads lives")
                if heads == 1
                else "the same share of heads; a layer's place in the schedule moves it",
            ),
            Beside(
                f"quantization against FP32, {name}",
                paper.QUANTIZATION,
                32 / bits,
                "x",
                f"{bits:.2f} bits of each number that is read; against 12 bit it is {12 / bits:.2f}x",
            ),
            Beside(
                f"all together against FP32, {name}",
                paper.DRAM_ACCESS,
                reductions[name][0],
                "x",
                f"against FP16 {reductions[name][1]:.2f}x, against 12 bit {reductions[name][2]:.2f}x",
            ),
        ]
        made.figures.append(
            plots.waterfall(
                f"dram-{len(made.figures)}",
                f"K and V read, {name}",
                "Every row takes away from the row above. Beside each name stands how many times less is left than "
                "with FP32.",
                "summary.dram_kv_useful of each run; FP32 and FP16: summary.dram_kv_dense x bits / 12",
                steps,
                "MB of K and V",
                1e6,
            )
        )
    made.tables.append(
        Table(
            "dram-access",
            "Bytes of K and V, technique by technique",
            ["trace", "what", "bytes", "below FP32", "below FP16", "below 12 bit", "by this step"],
            rows,
        )
    )
    product = paper.TOKENS_AND_VALUES * paper.HEADS * paper.QUANTIZATION
    decoder, encoder = reductions[m.decoder_name], reductions[m.encoder_name]
    made.cause = (
        f"The paper's own factors multiply to {product:.1f}, and its factor of quantization, {paper.QUANTIZATION}, is "
        f"32 bits over {32 / paper.QUANTIZATION:.1f}: the 10x is against FP32, and against 12 bit it is "
        f"{paper.DRAM_ACCESS * 12 / 32:.1f}x. On the authors' counts of GPT-2-small the reduction is "
        f"{reductions[found[0].name][0]:.1f}x, because that file keeps a tenth of the tokens in its last layers. "
        f"Sentences of 128 and 160 tokens allow less: {encoder[0]:.1f}x and {decoder[0]:.1f}x at the policy's ratios, "
        "which are not tuned to a task."
        if not m.full
        else f"The paper's own factors multiply to {product:.1f}: its 10x is against FP32. Ratios are the policy's, "
        f"not tuned to a task: {encoder[0]:.1f}x in the encoder, {decoder[0]:.1f}x in the decoder."
    )
    made.not_had.append(
        NotHad(
            "the means over 30 benchmarks (BERT on nine GLUE tasks and SQuAD, GPT-2 on four texts)",
            "fine-tuned models and their pruning ratios were not released; two of GPT-2's workload files were",
        )
    )
    return made


ARTEFACT = Artefact(
    1,
    "dram-access",
    "DRAM access by technique",
    "Tokens and local values 1.9x over 30 benchmarks and 3.8x on GPT-2, heads 1.1x, progressive quantization 5.1x, "
    f"all together 10.0x ({paper.ABSTRACT}; {paper.EVALUATION})",
    "The same trace under policies that add one technique after the other, bytes of K and V that machine `spatten` "
    "asks for; GPT-2 by the counts that the authors released.",
    reproduce,
)
