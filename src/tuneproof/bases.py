"""Base models that are good first choices: name, size, languages, licence and reason, in a table that can be checked.

Every one is a chat model of an architecture that transformers has built in, with weights in safetensors and a chat
template, so that no code of its folder has to run. Sizes are those of its `config.json`; a test counts the parameters
from them. What a model takes in memory is computed, not listed (`pipeline/bases`).

    BASES[0].name, BASES[0].reason           # "demo", a key of the message catalogue
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Languages = tuple[Literal["en", "zh"], ...]


class Shape(NamedTuple):
    """What decides a decoder's size, as `config.json` says it."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    key_heads: int
    head_size: int
    vocabulary: int
    tied: bool


class BaseModel(NamedTuple):
    """One base model."""

    name: str
    """As `--model` takes it."""
    parameters: float
    """Billions, as published."""
    shape: Shape
    languages: Languages
    """In which it answers well enough to be measured; many speak more."""
    licence: str
    gated: bool
    """Whether its owner asks for consent before it can be downloaded."""
    reason: str
    """Key of the sentence that says why it is here."""


APACHE = "Apache-2.0"
EN: Languages = ("en",)
BOTH: Languages = ("en", "zh")

BASES = (
    BaseModel("demo", 0.135, Shape(576, 1536, 30, 9, 3, 64, 49152, True), EN, APACHE, False, "bases.demo"),
    BaseModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        0.362, Shape(960, 2560, 32, 15, 5, 64, 49152, True), EN, APACHE, False, "bases.small_english",
    ),
    BaseModel(
        "Qwen/Qwen2.5-0.5B-Instruct",
        0.494, Shape(896, 4864, 24, 14, 2, 64, 151936, True), BOTH, APACHE, False, "bases.small_chinese",
    ),
    BaseModel(
        "meta-llama/Llama-3.2-1B-Instruct",
        1.236, Shape(2048, 8192, 16, 32, 8, 64, 128256, True), EN, "Llama 3.2", True, "bases.llama",
    ),
    BaseModel(
        "Qwen/Qwen2.5-1.5B-Instruct",
        1.544, Shape(1536, 8960, 28, 12, 2, 128, 151936, True), BOTH, APACHE, False, "bases.six_gigabytes",
    ),
    BaseModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        1.711, Shape(2048, 8192, 24, 32, 32, 64, 49152, True), EN, APACHE, False, "bases.open_english",
    ),
    BaseModel(
        "Qwen/Qwen1.5-1.8B-Chat",
        1.837, Shape(2048, 5504, 24, 16, 16, 128, 151936, False), BOTH, "Tongyi Qianwen Research", False,
        "bases.tutorials",
    ),
    BaseModel(
        "Qwen/Qwen3-4B-Instruct-2507",
        4.022, Shape(2560, 9728, 36, 32, 8, 128, 151936, True), BOTH, APACHE, False, "bases.eight_gigabytes",
    ),
    BaseModel(
        "mistralai/Mistral-7B-Instruct-v0.3",
        7.248, Shape(4096, 14336, 32, 32, 8, 128, 32768, False), EN, APACHE, False, "bases.large_english",
    ),
    BaseModel(
        "Qwen/Qwen2.5-7B-Instruct",
        7.616, Shape(3584, 18944, 28, 28, 4, 128, 152064, False), BOTH, APACHE, False, "bases.large_chinese",
    ),
    BaseModel(
        "Qwen/Qwen2.5-14B-Instruct",
        14.77, Shape(5120, 13824, 48, 40, 8, 128, 152064, False), BOTH, APACHE, False, "bases.largest",
    ),
)  # fmt: skip
"""From the smallest to the largest."""
