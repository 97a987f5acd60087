"""The workloads of SpAtten's authors as shape-only files, technique by technique.

Their release (github.com/mit-han-lab/spatten, spatten_hardware/hardware/workloads; MIT licence, copyright (c) 2023 MIT
HAN Lab) has one file of GPT-2-small and one of GPT-2-medium with everything pruned: a prompt of 992 tokens, then 32
steps. In both, all heads of a layer fetch the same numbers, and these do not change after the first step, in which
no token is pruned. So a few counts say all of it: with every technique on, the rows made here equal theirs."""

import csv
import dataclasses
import io
from dataclasses import dataclass

COLUMNS = [
    "iteration_id",
    "layer_id",
    "head_id",
    "embedding_length_D",
    "sentence_length_L",
    "key_fetch_num",
    "quant_key_bit",
    "quant_query_bit",
    "auto_requant_thres",
    "if_requant",
    "auto_requant_incre",
    "value_fetch_num",
    "quant_value_bit",
    "if_accumulate_importance",
    "if_rescale_previous_importance",
    "if_topk",
    "topk",
]
STEPS, PROMPT, HEAD_DIM = 32, 992, 64


@dataclass(frozen=True)
class Workload:
    """A model's counts, and which techniques are on."""

    name: str
    keys: tuple  # tokens fetched in each layer from the second step on; 0: all
    values: tuple  # of them, tokens whose V is fetched
    first_values: int  # of the first step, in all layers
    heads: tuple  # live heads of each layer
    all_heads: int
    key_bits: int
    more_key_bits: int  # of a refetch; 0: none
    value_bits: int
    refetched: tuple  # ((first step, last step, layer, heads that refetch), ...)
    rescale: bool  # a decay of importance at a step's end
    tokens: bool = True
    local_values: bool = True
    pruned_heads: bool = True
    quantized: bool = True
    bits: int = -1  # of K and V where they are not quantized; -1: float, 32

    def without(self, **techniques):
        return dataclasses.replace(self, **techniques)

    @property
    def label(self):
        on = [
            name
            for name, is_on in (
                ("tokens", self.tokens),
                ("values", self.local_values),
                ("heads", self.pruned_heads),
                ("bits", self.quantized),
            )
            if is_on
        ]
        number = "" if self.quantized else "-fp32" if self.bits < 0 else f"-{self.bits}bit"
        return f"{self.name}-{'-'.join(on) or 'dense'}{number}"

    def _refetches(self, step, layer):
        if not self.quantized:
            return 0
        return next((n for first, last, at, n in self.refetched if at == layer and first <= step <= last), 0)

    def _keys(self, step, layer):
        length = PROMPT + 1 + step
        return length if step == 0 or not self.tokens or not self.keys[layer] else self.keys[layer]

    def rows(self):
        """[values of COLUMNS], head by head."""
        made, layers = [], len(self.keys)
        # Importance that no later top-k asks for is not added up.
        cuts = [at for at in range(layers - 1) if self._keys(1, at + 1) < self._keys(1, at)]
        for step in range(STEPS):
            for layer in range(layers):
                keys = self._keys(step, layer)
                if not self.local_values:
                    values = keys
                else:
                    values = self.first_values if step == 0 or not self.tokens else self.values[layer]
                last_layer = layer + 1 == layers
                after = self._keys(step + 1, 0) if last_layer else self._keys(step, layer + 1)
                choose = (last_layer and step + 1 < STEPS and after < PROMPT + 2 + step) or (
                    not last_layer and after < keys
                )
                heads = self.heads[layer] if self.pruned_heads else self.all_heads
                refetches = self._refetches(step, layer)
                for head in range(heads):
                    last = head + 1 == heads
                    made.append(
                        [
                            step,
                            layer,
                            head,
                            HEAD_DIM,
                            PROMPT + 1 + step,
                            keys,
                            self.key_bits if self.quantized else self.bits,
                            16 if self.quantized else self.bits,
                            0.05 if self.quantized and self.more_key_bits else -1,
                            head < refetches,
                            self.more_key_bits if self.quantized and self.more_key_bits else -1,
                            values,
                            self.value_bits if self.quantized else self.bits,
                            step + 1 < STEPS or (bool(cuts) and layer <= max(cuts)),
                            self.rescale and self.tokens and last and last_layer and step + 1 < STEPS,
                            choose and last,
                            after if choose and last else -1,
                        ]
                    )
        return made

    def products(self):
        """Of Q x K and of P x V, as the machine multiplies: a row that refetches does Q x K twice."""
        at = {column: i for i, column in enumerate(COLUMNS)}
        rows = self.rows()
        keys = sum(row[at["key_fetch_num"]] * (1 + row[at["if_requant"]]) for row in rows)
        values = sum(row[at["value_fetch_num"]] for row in rows)
        return keys * HEAD_DIM, values * HEAD_DIM

    def text(self):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self.rows())
        return out.getvalue()

    def write(self, folder):
        """The file, by its label. It is not written again where it is there already."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.label}.csv"
        if not path.exists():
            path.write_text(self.text(), encoding="utf-8")
        return path


# summary-gpt2-small-wikitext2-per8
GPT2_SMALL = Workload(
    name="gpt2-small",
    keys=(921, 716, *[204] * 4, *[102] * 6),
    values=(184, 143, *[40] * 4, *[20] * 6),
    first_values=204,
    heads=(12,) * 12,
    all_heads=12,
    key_bits=6,
    more_key_bits=4,
    value_bits=6,
    refetched=(
        (0, 9, 0, 12),
        (10, 10, 0, 4),
        (0, 13, 1, 12),
        (14, 14, 1, 4),
        (0, 0, 2, 12),
        *((0, 0, layer, heads) for layer, heads in enumerate((1, 1, 1, 1, 1, 3, 1, 1, 5), start=3)),
    ),
    rescale=True,
)

# summary-gpt2-medium-wikitext2-per0-hp-step5+dedic+glob_p+local_p+hp+topk+quant: no refetch, K at 12 bits
GPT2_MEDIUM = Workload(
    name="gpt2-medium",
    keys=(0, 0, 921, 819, 819, *[614] * 6, *[307] * 13),
    values=(307, 307, 276, 245, 245, *[184] * 6, *[92] * 13),
    first_values=307,
    heads=(*[16] * 16, *[13] * 6, 10, 10),
    all_heads=16,
    key_bits=12,
    more_key_bits=0,
    value_bits=8,
    refetched=(),
    rescale=False,
)
