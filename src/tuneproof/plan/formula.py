"""Peak memory in closed form: instant, for models shaped like Llama and Qwen2; the trace's cross-check and bracket.

Read off the tracker by least squares over random shapes (docs/evidence.md, `Memory`): every linear layer
but the head has an adapter, the adapter is fp32, attention is fused. For those it lies between 2 % below and 12 % above
the traced peak (a test holds that); for other architectures it is an estimate. No torch is needed.

    sizes = read_dimensions(config)
    estimate_step(sizes, Precision("bfloat16", rank=16), Load(rows=4, tokens=4096, trained=1000, chunk=256)).total()
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tuneproof.errors import ModelError
from tuneproof.records import Parts

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
NF4 = 0.5 + 1 / 64 + 4 / 16384
"""Bytes a weight in NF4 with double quantisation: half a byte, a byte a block of 64, four bytes for 256 blocks."""
INT8 = 1.0
"""Bytes a weight in 8 bits; the four bytes a row of the matrix for its scale are left out."""
STATES = {"adamw": 8, "adamw8bit": 2 + 8 / 256}
"""Bytes of optimizer state a trained weight: two moments, in 8 bits with a scale for each block of 256."""


class Dimensions(NamedTuple):
    """What decides a decoder's size."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    head_size: int
    vocabulary: int
    tied: bool
    experts: int = 1
    """Feed-forward blocks a layer that are kept in memory."""
    active: int = 1
    """Feed-forward blocks a token passes."""


class Precision(NamedTuple):
    """How weights and adapter are held."""

    dtype: str
    rank: int
    quantization: str = "none"
    optimizer: str = "adamw"
    offload: bool = False
    ranks: int = 1
    """Over how many the linear layers are split."""


class Load(NamedTuple):
    """One packed step."""

    rows: int
    tokens: int
    """Of all rows together."""
    trained: int
    chunk: int
    checkpointing: bool = False
    accumulating: bool = False


def read_dimensions(config: Any) -> Dimensions:
    """The sizes in a transformers config. Raises ModelError when it has none of a decoder's."""
    return read_text(config.get_text_config())


def read_text(text: Any) -> Dimensions:
    """The sizes in what a config says of its decoder, by attributes named as in config.json. Raises ModelError."""

    def find(*names: str, default: int | None = None) -> int:
        found = next((getattr(text, name) for name in names if getattr(text, name, None) is not None), default)
        if not isinstance(found, int):
            raise ModelError("plan.no_dimensions", where="config.json", field=names[0])
        return found

    hidden = find("hidden_size")
    heads = find("num_attention_heads")
    experts = find("num_local_experts", "num_experts", "n_routed_experts", default=1)
    inner = find("intermediate_size", default=4 * hidden)
    return Dimensions(
        hidden=hidden,
        intermediate=find("moe_intermediate_size", default=inner) if experts > 1 else inner,
        layers=find("num_hidden_layers"),
        heads=heads,
        key_heads=find("num_key_value_heads", default=heads),
        head_size=find("head_dim", default=hidden // heads),
        vocabulary=find("vocab_size"),
        tied=bool(getattr(text, "tie_word_embeddings", False)),
        experts=experts,
        active=find("num_experts_per_tok", default=1) if experts > 1 else 1,
    )


def count_linear(sizes: Dimensions) -> int:
    """Weights of all linear layers but the head."""
    wide, narrow = sizes.heads * sizes.head_size, sizes.key_heads * sizes.head_size
    attention = 2 * sizes.hidden * (wide + narrow)
    return sizes.layers * (attention + sizes.experts * 3 * sizes.hidden * sizes.intermediate)


def count_other(sizes: Dimensions) -> int:
    """Weights of embeddings, head and norms, which 4-bit loading leaves as they are."""
    tables = sizes.vocabulary * sizes.hidden * (1 if sizes.tied else 2)
    return tables + sizes.hidden * (2 * sizes.layers + 1)


def count_adapter(sizes: Dimensions, rank: int) -> int:
    """Weights of a LoRA adapter on all linear layers but the head."""
    wide, narrow = sizes.heads * sizes.head_size, sizes.key_heads * sizes.head_size
    attention = 2 * (sizes.hidden + wide) + 2 * (sizes.hidden + narrow)
    return sizes.layers * rank * (attention + sizes.experts * 3 * (sizes.hidden + sizes.intermediate))


def count_cache(sizes: Dimensions, dtype: str) -> int:
    """Bytes of keys and values a token."""
    return 2 * sizes.layers * sizes.key_heads * sizes.head_size * BYTES[dtype]


def estimate_step(sizes: Dimensions, precision: Precision, load: Load) -> Parts:
    """Parts of the peak of one packed forward and backward, in bytes; the device's own part is not in them."""
    size, tokens, hidden = BYTES[precision.dtype], load.tokens, sizes.hidden
    adapter = count_adapter(sizes, precision.rank)
    layer = _count_layer(sizes, precision, load)
    saved = sizes.layers * (size * hidden * tokens if load.checkpointing else layer)
    if not load.checkpointing and precision.quantization != "int8":
        # A and s B as they were multiplied, which `model/lora` keeps for the backward pass.
        saved += size * adapter
    # A chunk of logits in fp32 and, in 16 bit, as it is multiplied back.
    logits = min(load.chunk, load.trained) * sizes.vocabulary * (4 if size == 4 else 6)
    head = 4 * hidden * tokens + 3 * size * hidden * load.trained
    work = _count_work(sizes, precision, tokens, load.checkpointing)
    if load.checkpointing:
        work += layer
    parts = Parts(
        weights=_count_weights(sizes, precision),
        adapter=4 * adapter,
        optimizer=int(STATES[precision.optimizer] * adapter),
        gradients=4 * adapter if load.accumulating else 0,
    )
    if head + logits >= work:
        parts.activations, parts.logits = saved + head, logits
    else:
        parts.activations, parts.temporaries = saved, work
    return parts


def estimate_answers(
    sizes: Dimensions, precision: Precision, rows: int, prompt: int, new: int, folded: bool = False
) -> Parts:
    """Parts of the peak of answering one padded batch: the full cache, and a layer's work on all prompts.

    `folded`: the adapter is folded into a copy of the linear layers.
    """
    size = BYTES[precision.dtype]
    wide = sizes.heads * sizes.head_size
    # Hidden states and their fp32 copies in the norm; queries, keys and values; the feed-forward's three, and beside
    # weights in 8 bits PEFT's fp32 copy of its input.
    of_inner = 3 * size + (4 if size == 2 and precision.quantization == "int8" else 0)
    inner = sizes.active * sizes.intermediate
    work = rows * prompt * (sizes.hidden * (2 * size + 8) + 3 * wide * size + of_inner * inner)
    return Parts(
        weights=_count_weights(sizes, precision) + (size * count_linear(sizes) if folded else 0),
        adapter=4 * count_adapter(sizes, precision.rank),
        activations=work + rows * prompt * prompt * (size + 1),
        logits=rows * sizes.vocabulary * size,
        cache=rows * (prompt + new) * count_cache(sizes, precision.dtype),
    )


def _count_weights(sizes: Dimensions, precision: Precision) -> int:
    size = BYTES[precision.dtype]
    of_linear = {"none": size, "int8": INT8, "nf4": NF4}[precision.quantization]
    # Of streamed layers two are on the device, of split ones a part of each and three that are gathered.
    there = 2 / sizes.layers if precision.offload else 1 / precision.ranks
    there = min(1.0, there + (3 / sizes.layers if precision.ranks > 1 else 0.0))
    return int(count_linear(sizes) * of_linear * there) + count_other(sizes) * size


def _count_layer(sizes: Dimensions, precision: Precision, load: Load) -> int:
    """Bytes that one layer saves for its backward."""
    hidden, inner, rank = sizes.hidden, sizes.active * sizes.intermediate, precision.rank
    wide, narrow = sizes.heads * sizes.head_size, sizes.key_heads * sizes.head_size
    of_heads = 4 * sizes.heads + 8
    if precision.quantization == "int8":
        # PEFT's own way (`model/lora`): 20 of the 28 are fp32 copies of the input, one an adapter.
        return load.tokens * (28 * hidden + 8 * wide + 4 * narrow + 10 * inner + 28 * rank + of_heads)
    # Gate and up (`model/feed`); experts keep what is made of them, too.
    of_inner = 2 if sizes.experts == 1 else 4
    if precision.dtype == "float32":
        # Rows attended to one by one are joined, and the join is kept beside its transpose.
        joined = 4 * wide if load.rows > 1 else 0
        of_token = 16 * hidden + 8 * wide + 8 * narrow + 4 * of_inner * inner + 28 * rank + of_heads + joined
        return load.tokens * of_token + rank * (28 * hidden + 4 * wide + 8 * narrow + 8 * inner)
    of_token = 12 * hidden + 4 * wide + 4 * narrow + 2 * of_inner * inner + 14 * rank + of_heads
    return load.tokens * of_token + rank * (14 * hidden + 4 * wide + 4 * narrow + 6 * inner)


def _count_work(sizes: Dimensions, precision: Precision, tokens: int, checkpointing: bool) -> int:
    """Bytes that the backward of one layer takes beyond what was saved."""
    hidden, inner = sizes.hidden, sizes.active * sizes.intermediate
    gradients = 4 * count_adapter(sizes, precision.rank) // sizes.layers
    # One layer at a time is dequantised.
    whole = BYTES[precision.dtype] * hidden * max(inner, sizes.heads * sizes.head_size)
    whole = whole if precision.quantization != "none" else 0
    if precision.quantization == "int8":
        of_token = 12 * hidden + 4 * inner if checkpointing else max(14 * hidden + 2 * inner, 21 * hidden)
    else:
        of_token = max((10 if checkpointing else 20) * hidden, 3 * BYTES[precision.dtype] * inner)
    return tokens * of_token + gradients + whole
