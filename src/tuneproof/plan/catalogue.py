"""Dimensions of models that people use, so that a plan needs no download: a name in, what config.json would say out.

Read off the models' own config.json; `tests/plan/test_catalogue.py` builds each on `meta` and holds its number of
weights against the published one. A plan made from this table says so. No torch, no transformers.

    known = find_known("Qwen/Qwen1.5-1.8B-Chat")      # Known("qwen1.5-1.8b", "qwen1.5", {"model_type": "qwen2", ...})
    list_smaller(known)                               # ["qwen1.5-0.5b"]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tuneproof.plan.formula import Dimensions, read_text

SHAPE = (
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "vocab_size",
)


class Known(NamedTuple):
    """A model of the table."""

    name: str
    """Lower case, without owner and without what says how it was tuned."""
    family: str
    config: Mapping[str, Any]
    """As config.json has it."""


class Family(NamedTuple):
    """Models of one architecture, the smallest first."""

    model_type: str
    common: Mapping[str, Any]
    sizes: Mapping[str, tuple[int, ...]]
    """Name -> `SHAPE`."""
    special: Mapping[str, Mapping[str, Any]] = {}
    """Name -> what differs from `common`."""


TIED, UNTIED = {"tie_word_embeddings": True}, {"tie_word_embeddings": False}
QWEN3 = {**TIED, "head_dim": 128, "max_position_embeddings": 40960}
GEMMA2 = {**TIED, "head_dim": 256, "sliding_window": 4096, "max_position_embeddings": 8192}
PHI3 = {**UNTIED, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}

FAMILIES: dict[str, Family] = {
    "qwen1.5": Family(
        "qwen2",
        {**UNTIED, "max_position_embeddings": 32768},
        {
            "qwen1.5-0.5b": (1024, 2816, 24, 16, 16, 151936),
            "qwen1.5-1.8b": (2048, 5504, 24, 16, 16, 151936),
            "qwen1.5-4b": (2560, 6912, 40, 20, 20, 151936),
            "qwen1.5-7b": (4096, 11008, 32, 32, 32, 151936),
            "qwen1.5-14b": (5120, 13696, 40, 40, 40, 152064),
            "qwen1.5-32b": (5120, 27392, 64, 40, 8, 152064),
        },
        {"qwen1.5-0.5b": TIED},
    ),
    "qwen2": Family(
        "qwen2",
        {**TIED, "max_position_embeddings": 32768},
        {
            "qwen2-0.5b": (896, 4864, 24, 14, 2, 151936),
            "qwen2-1.5b": (1536, 8960, 28, 12, 2, 151936),
            "qwen2-7b": (3584, 18944, 28, 28, 4, 152064),
        },
        {"qwen2-7b": UNTIED},
    ),
    "qwen2.5": Family(
        "qwen2",
        {**TIED, "max_position_embeddings": 32768},
        {
            "qwen2.5-0.5b": (896, 4864, 24, 14, 2, 151936),
            "qwen2.5-1.5b": (1536, 8960, 28, 12, 2, 151936),
            "qwen2.5-3b": (2048, 11008, 36, 16, 2, 151936),
            "qwen2.5-7b": (3584, 18944, 28, 28, 4, 152064),
            "qwen2.5-14b": (5120, 13824, 48, 40, 8, 152064),
            "qwen2.5-32b": (5120, 27648, 64, 40, 8, 152064),
            "qwen2.5-72b": (8192, 29568, 80, 64, 8, 152064),
        },
        dict.fromkeys(("qwen2.5-7b", "qwen2.5-14b", "qwen2.5-32b", "qwen2.5-72b"), UNTIED),
    ),
    "qwen3": Family(
        "qwen3",
        QWEN3,
        {
            "qwen3-0.6b": (1024, 3072, 28, 16, 8, 151936),
            "qwen3-1.7b": (2048, 6144, 28, 16, 8, 151936),
            "qwen3-4b": (2560, 9728, 36, 32, 8, 151936),
            "qwen3-8b": (4096, 12288, 36, 32, 8, 151936),
            "qwen3-14b": (5120, 17408, 40, 40, 8, 151936),
            "qwen3-32b": (5120, 25600, 64, 64, 8, 151936),
        },
        dict.fromkeys(("qwen3-8b", "qwen3-14b", "qwen3-32b"), UNTIED),
    ),
    "llama-3": Family(
        "llama",
        {**UNTIED, "max_position_embeddings": 131072},
        {
            "llama-3.2-1b": (2048, 8192, 16, 32, 8, 128256),
            "llama-3.2-3b": (3072, 8192, 28, 24, 8, 128256),
            "llama-3-8b": (4096, 14336, 32, 32, 8, 128256),
            "llama-3.1-8b": (4096, 14336, 32, 32, 8, 128256),
            "llama-3.1-70b": (8192, 28672, 80, 64, 8, 128256),
            "llama-3.3-70b": (8192, 28672, 80, 64, 8, 128256),
        },
        {"llama-3.2-1b": {**TIED, "head_dim": 64}, "llama-3.2-3b": {**TIED, "head_dim": 128}},
    ),
    "smollm2": Family(
        "llama",
        {**TIED, "max_position_embeddings": 8192},
        {
            "smollm2-135m": (576, 1536, 30, 9, 3, 49152),
            "smollm2-360m": (960, 2560, 32, 15, 5, 49152),
            "smollm2-1.7b": (2048, 8192, 24, 32, 32, 49152),
        },
    ),
    "smollm3": Family(
        "smollm3", {**TIED, "max_position_embeddings": 65536}, {"smollm3-3b": (2048, 11008, 36, 16, 4, 128256)}
    ),
    # Of this version only: those before have another vocabulary.
    "mistral": Family(
        "mistral",
        {**UNTIED, "head_dim": 128, "max_position_embeddings": 32768},
        {"mistral-7b@v0.3": (4096, 14336, 32, 32, 8, 32768)},
    ),
    "gemma": Family(
        "gemma",
        {**TIED, "head_dim": 256, "max_position_embeddings": 8192},
        {"gemma-2b": (2048, 16384, 18, 8, 1, 256000), "gemma-7b": (3072, 24576, 28, 16, 16, 256000)},
    ),
    "gemma-2": Family(
        "gemma2",
        GEMMA2,
        {
            "gemma-2-2b": (2304, 9216, 26, 8, 4, 256000),
            "gemma-2-9b": (3584, 14336, 42, 16, 8, 256000),
            "gemma-2-27b": (4608, 36864, 46, 32, 16, 256000),
        },
        {"gemma-2-27b": {"head_dim": 128}},
    ),
    "gemma-3": Family(
        "gemma3_text",
        {**TIED, "head_dim": 256, "sliding_window": 512, "max_position_embeddings": 32768},
        {
            "gemma-3-270m": (640, 2048, 18, 4, 1, 262144),
            "gemma-3-1b": (1152, 6912, 26, 4, 1, 262144),
        },
    ),
    "phi": Family(
        "phi",
        {**UNTIED, "max_position_embeddings": 2048, "partial_rotary_factor": 0.5},
        {"phi-1.5": (2048, 8192, 24, 32, 32, 51200), "phi-2": (2560, 10240, 32, 32, 32, 51200)},
    ),
    "phi-3": Family(
        "phi3",
        {**PHI3, "max_position_embeddings": 4096},
        {
            "phi-3-mini": (3072, 8192, 32, 32, 32, 32064),
            "phi-3.5-mini": (3072, 8192, 32, 32, 32, 32064),
            "phi-3-medium": (5120, 17920, 40, 40, 10, 32064),
        },
    ),
    "phi-4": Family(
        "phi3",
        {**PHI3, "max_position_embeddings": 16384},
        {"phi-4-mini": (3072, 8192, 32, 24, 8, 200064), "phi-4": (5120, 17920, 40, 40, 10, 100352)},
        {"phi-4-mini": {**TIED, "partial_rotary_factor": 0.75}},
    ),
    # The next three families bring code of their own, which is never run here; as Llama they take the same memory.
    "minicpm": Family(
        "llama",
        {**TIED, "max_position_embeddings": 4096},
        {"minicpm-1b": (1536, 3840, 52, 24, 8, 73440), "minicpm-2b": (2304, 5760, 40, 36, 36, 122753)},
    ),
    "minicpm4": Family(
        "llama",
        {**TIED, "max_position_embeddings": 32768},
        {"minicpm4-0.5b": (1024, 4096, 24, 16, 2, 73448), "minicpm4-8b": (4096, 16384, 32, 32, 2, 73448)},
        {"minicpm4-8b": UNTIED},
    ),
    "internlm2.5": Family(
        "llama",
        {**UNTIED, "max_position_embeddings": 32768},
        {
            "internlm2.5-1.8b": (2048, 8192, 24, 16, 8, 92544),
            "internlm2.5-7b": (4096, 14336, 32, 32, 8, 92544),
            "internlm2.5-20b": (6144, 16384, 48, 48, 8, 92544),
        },
    ),
    "internlm3": Family(
        "internlm3",
        {**UNTIED, "head_dim": 128, "max_position_embeddings": 32768},
        {"internlm3-8b": (4096, 10240, 48, 32, 2, 128512)},
    ),
}

ENDINGS = re.compile(
    r"-(instruct|chat|it|base|hf|sft|dpo|pt|bf16|fp16|llama-format|4k|8k|16k|32k|128k|1m|2507|v\d+(\.\d+)*)$"
)
"""What a name ends with that changes no dimension."""
OTHER_NAMES = (
    (r"^meta-", ""),
    (r"^internlm2_5-1_8b|^internlm2-1_8b", "internlm2.5-1.8b"),
    (r"^internlm2_5-|^internlm2-", "internlm2.5-"),
    (r"^phi-1_5", "phi-1.5"),
    (r"^minicpm4\.1-", "minicpm4-"),
    (r"^mistral-7b(-instruct)?-v0\.3$", "mistral-7b@v0.3"),
)


def find_known(name: str) -> Known | None:
    """The model of the table that a hub id means; None for one that is not in it, or a quantised copy of one."""
    wanted = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    for pattern, replacement in OTHER_NAMES:
        wanted = re.sub(pattern, replacement, wanted)
    while (shorter := ENDINGS.sub("", wanted)) != wanted:
        wanted = shorter
    return next((_make(wanted, family) for family, one in FAMILIES.items() if wanted in one.sizes), None)


def measure_known(known: Known) -> Dimensions:
    """The sizes of a model of the table."""
    return read_text(SimpleNamespace(**known.config))


def list_smaller(known: Known) -> list[Known]:
    """Smaller models of the same family, the largest of them first."""
    names = list(FAMILIES[known.family].sizes)
    return [_make(name, known.family) for name in reversed(names[: names.index(known.name)])]


def name_like(smaller: Known, known: Known, given: str) -> str:
    """`smaller` as a hub id written like `given`, which is the id of `known`; its name in the table where `given` is a
    folder, or has no size in it that could be changed, as phi-4 has none.

    >>> name_like(small, large, "Qwen/Qwen1.5-1.8B-Chat")
    'Qwen/Qwen1.5-0.5B-Chat'
    """
    at = given.lower().rfind(known.name)
    if at < 0 or Path(given).exists() or not all(re.search(r"\d[bm]$", one.name) for one in (smaller, known)):
        return smaller.name
    written = given[at : at + len(known.name)]
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(smaller.name, known.name, strict=False)))
    size = smaller.name[same:].upper() if written[-1].isupper() else smaller.name[same:]
    return given[:at] + written[:same] + size + given[at + len(written) :]


def list_known() -> list[Known]:
    """Every model of the table."""
    return [_make(name, family) for family, one in FAMILIES.items() for name in one.sizes]


def _make(name: str, family: str) -> Known:
    told = FAMILIES[family]
    shape = dict(zip(SHAPE, told.sizes[name], strict=True))
    return Known(name, family, {"model_type": told.model_type, **shape, **told.common, **told.special.get(name, {})})
