"""The paper's techniques one after the other: as policies for real traces, as files of the authors' counts."""

from dataclasses import dataclass

import winnow
from winnow.reproduce.workload import GPT2_MEDIUM, GPT2_SMALL

# In the order in which they are added, and what stands in tables.
STEPS = ["12 bit", "tokens", "heads", "local values", "bits"]
NAMES = {
    "12 bit": "dense, 12 bit",
    "tokens": "+ cascade token pruning",
    "heads": "+ cascade head pruning",
    "local values": "+ local value pruning",
    "bits": "+ quantization",
}


@dataclass
class Subject:
    """A trace or a workload, step by step. Of a workload bytes are the closed form that the machine is held against."""

    name: str
    bytes: dict  # {step: bytes of K and V that are asked for}
    dense: int  # bytes of all of K and V at 12 bits
    products: dict  # {step: (of Q x K, of P x V)}

    def below_dense(self, step):
        """How many times fewer products than dense."""
        return sum(self.products["12 bit"]) / sum(self.products[step])


def policies(encoder):
    """{step: Policy}, from dense to `spatten`. An encoder's bits are static, as in the paper: 8 of K and V."""
    paper = winnow.Policy("spatten")
    tokens = {"start": paper.tokens.start, "end": paper.tokens.end}
    heads = {"start": paper.heads.start, "end": paper.heads.end}
    made = {
        "12 bit": winnow.Policy("dense"),
        "tokens": winnow.Policy("dense", tokens=tokens),
        "heads": winnow.Policy("dense", tokens=tokens, heads=heads),
        "local values": winnow.Policy("dense", tokens=tokens, heads=heads, local_value=paper.local_value),
        "bits": static_bits() if encoder else paper,
    }
    return made


def static_bits():
    return winnow.Policy("spatten", k_digits=[8], threshold=0.0, v_bits=8)


def workloads(model):
    """{step: Workload} of the authors' counts; what is not quantized has 12 bits."""
    off = dict(tokens=False, pruned_heads=False, local_values=False, quantized=False, bits=12)
    made = {}
    for step, name in zip(STEPS, (None, "tokens", "pruned_heads", "local_values", "quantized")):
        if name:
            off[name] = True
        made[step] = model.without(**off)
    return made


def subjects(m):
    """[Subject] of the four on which techniques are told apart."""
    made = []
    for model, name in ((GPT2_SMALL, "GPT-2-small"), (GPT2_MEDIUM, "GPT-2-medium")):
        files = workloads(model)
        runs = {step: m.run(one, "spatten", label=step, engine="golden") for step, one in files.items()}
        made.append(
            Subject(
                f"{name}, the authors' counts",
                {step: run.value("summary.dram_kv_useful") for step, run in runs.items()},
                runs["12 bit"].value("summary.dram_kv_dense"),
                {step: one.products() for step, one in files.items()},
            )
        )
    for name, encoder, on in ((m.decoder_name, False, m.on_decoder), (m.encoder_name, True, m.on_encoder)):
        runs = {step: on("spatten", policy, step) for step, policy in policies(encoder).items()}
        made.append(
            Subject(
                name,
                {step: run.value("summary.dram_kv_useful") for step, run in runs.items()},
                runs["12 bit"].value("summary.dram_kv_dense"),
                {
                    step: (run.value("qk.multiplications"), run.value("pv.multiplications"))
                    for step, run in runs.items()
                },
            )
        )
    return made
