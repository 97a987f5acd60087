"""Small random models and vocabularies, the same bytes each time, in the file formats that capture reads."""

import itertools
import json
from collections import Counter

import gguf
import numpy as np
from tokenizers import pre_tokenizers

SPACE = "\u2581"
TOKENIZERS = ("smollm", "gpt-2", "default", "llama-bpe", "spm")


def difficult_text(text):
    """The text, and what tokenizers differ in: digits (often enough that 123 is learned as one piece), runs of spaces,
    line ends, contractions, foreign letters."""
    return (
        text
        + " 1234 and 51236," * 20
        + "\n\n  x = 12345 + 3.14159;\n\tif (a<=b) { don't DON'T }\r\n\r\n \u00fcber na\u00efve "
        + "\u4e2d\u6587 \u5b57 \U0001f642\U0001f642 e.g. 1st 100% $5 ^~| <|im_start|> </s>  end   \n"
    )


def byte_pair_vocabulary(text, merges):
    """(tokens, merges) of a byte-level BPE trained on the text: most frequent pair first, ties by the pair's name."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    cut = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True).pre_tokenize_str(text)
    words = {tuple(word): count for word, count in Counter(word for word, _ in cut).items()}
    learned = []
    for _ in range(merges):
        pairs = Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        learned.append(best)
        words = {_join(word, best): count for word, count in words.items()}
    tokens = ["<unk>", "<s>", "</s>", *alphabet]
    tokens += [pair for pair in dict.fromkeys(a + b for a, b in learned) if pair not in tokens]
    return tokens, [" ".join(pair) for pair in learned]


def _join(word, pair):
    out, index = [], 0
    while index < len(word):
        step = 2 if word[index : index + 2] == pair else 1
        out.append("".join(word[index : index + step]))
        index += step
    return tuple(out)


def sentence_pieces(text, count):
    """(tokens, scores, types): the text's most frequent strings of 2..6 characters, its letters, and all bytes."""
    text = text.replace(" ", SPACE)
    strings = Counter(text[i : i + n] for n in range(2, 7) for i in range(len(text) - n))
    pieces = [piece for piece in sorted(strings, key=lambda piece: (-strings[piece], piece)) if "\n" not in piece]
    letters = sorted(letter for letter in set(text) if letter == SPACE or (letter.isascii() and letter.isalpha()))
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *pieces[:count], *letters]
    scores = [0.0] * 259 + [-float(i) for i in range(count)] + [-1e4 - i for i in range(len(letters))]
    types = [2, 3, 3] + [6] * 256 + [1] * (count + len(letters))
    return tokens, scores, types


def write_vocabulary(writer, text, kind):
    """Tokenizer keys for one of: the byte-level splitters by name, or 'spm'. Returns the number of tokens."""
    if kind == "spm":
        tokens, scores, types = sentence_pieces(text, 600)
        writer.add_tokenizer_model("llama")
        writer.add_token_scores(scores)
    else:
        tokens, merges = byte_pair_vocabulary(text, 300)
        types = [3] * 3 + [1] * (len(tokens) - 3)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(kind)
        writer.add_token_merges(merges)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    return len(tokens)


def write_llama(
    path,
    text,
    *,
    seed=7,
    layers=2,
    width=48,
    hidden=80,
    heads=4,
    kv_heads=2,
    head_dim=16,
    rotated=None,
    tied=False,
    biases=False,
    rope_factors=False,
    vocabulary="smollm",
    weights=True,
    keys=(),
    extra=(),
    architecture="llama",
):
    """A random GGUF of the llama architecture or another that has these parts, F32. Returns {tensor name: array}.

    keys: further (name, value) pairs; extra: further {name: shape} tensors; weights False: vocabulary only."""
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(layers)
    writer.add_context_length(256)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(hidden)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(rotated or head_dim)
    writer.add_rope_freq_base(5000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    for name, value in keys:
        add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        add[type(value)](name, value)
    words = write_vocabulary(writer, text, vocabulary)
    shapes = {"token_embd.weight": (words, width), "output_norm.weight": (width,)}
    if not tied:
        shapes["output.weight"] = (words, width)
    if rope_factors:
        shapes["rope_freqs.weight"] = (head_dim // 2,)
    gemma = {
        "attn_q_norm": (head_dim,),
        "attn_k_norm": (head_dim,),
        "post_attention_norm": (width,),
        "post_ffw_norm": (width,),
    }
    for layer in range(layers):
        parts = (gemma if architecture == "gemma3" else {}) | {
            "attn_norm": (width,),
            "attn_q": (heads * head_dim, width),
            "attn_k": (kv_heads * head_dim, width),
            "attn_v": (kv_heads * head_dim, width),
            "attn_output": (width, heads * head_dim),
            "ffn_norm": (width,),
            "ffn_gate": (hidden, width),
            "ffn_up": (hidden, width),
            "ffn_down": (width, hidden),
        }
        shapes |= {f"blk.{layer}.{part}.weight": shape for part, shape in parts.items()}
        if biases:
            shapes |= {f"blk.{layer}.attn_{part}.bias": parts[f"attn_{part}"][:1] for part in "qkv"}
    shapes |= dict(extra)
    tensors = {}
    for name, shape in shapes.items() if weights else ():
        spread = 1.0 if name.startswith("token_embd") else 1.5 / np.sqrt(shape[-1])
        values = random.normal(0.0, spread, shape)
        if len(shape) == 1 and not name.endswith("bias"):
            values = 1.0 + 0.2 * random.random(shape)  # norms, and factors that divide frequencies
        tensors[name] = values.astype(np.float32)
        writer.add_tensor(name, tensors[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return tensors


def write_gemma(path, text, *, window=64, keys=(), **options):
    """A random GGUF of the gemma3 architecture with a tied output: write_llama's, with Gemma's keys and norms."""
    options = {"layers": 7, "heads": 4, "kv_heads": 1, "tied": True, "vocabulary": "spm"} | options
    keys = [("gemma3.attention.sliding_window", window), *keys]
    return write_llama(path, text, architecture="gemma3", keys=keys, **options)


def write_bert(folder, text, *, seed=11, layers=2, width=48, hidden=64, heads=3, positions=96, config=()):
    """A random BERT as a Hugging Face folder. Returns ({tensor name: array}, config)."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, processors

    random = np.random.default_rng(seed)
    cut = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(text.lower())
    words = [word for word, _ in Counter(word for word, _ in cut).most_common(120)]
    letters = sorted({letter for word, _ in cut for letter in word})
    tokens = list(
        dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, *letters, *("##" + letter for letter in letters)])
    )
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_truncation(20)  # capture must not be cut by it
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    facts = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_act": "gelu",
        "hidden_size": width,
        "intermediate_size": hidden,
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "max_position_embeddings": positions,
        "layer_norm_eps": 1e-12,
        "type_vocab_size": 2,
        "vocab_size": len(tokens),
    } | dict(config)
    (folder / "config.json").write_text(json.dumps(facts))
    shapes = {
        "embeddings.word_embeddings.weight": (len(tokens), width),
        "embeddings.position_embeddings.weight": (positions, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for layer in range(layers):
        for part, (rows, columns) in {
            "attention.self.query": (width, width),
            "attention.self.key": (width, width),
            "attention.self.value": (width, width),
            "attention.output.dense": (width, width),
            "intermediate.dense": (hidden, width),
            "output.dense": (width, hidden),
        }.items():
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (rows, columns)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (rows,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{part}.weight"] = (width,)
            shapes[f"encoder.layer.{layer}.{part}.bias"] = (width,)
    tensors = {}
    for name, shape in shapes.items():
        spread = 1.5 / np.sqrt(shape[-1]) if len(shape) == 2 and "embeddings" not in name else 0.5
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        tensors[name] = (centre + random.normal(0.0, spread, shape)).astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    return tensors, facts
