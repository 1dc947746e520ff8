"""Base models that are good first choices: name, size, languages, licence and reason, in a table that can be checked.

Every one is a chat model of an architecture that transformers has built in, with weights in safetensors and a chat
template, so that no code of its folder has to run. Dimensions stand in `plan/catalogue`, and what a model takes in
memory is computed from them (`pipeline/bases`); a test counts the parameters from them.

    BASES[0].name, BASES[0].reason           # "demo", a key of the message catalogue
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Languages = tuple[Literal["en", "zh"], ...]


class BaseModel(NamedTuple):
    """One base model."""

    name: str
    """As `--model` takes it."""
    parameters: float
    """Billions, as published."""
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
    BaseModel("demo", 0.135, EN, APACHE, False, "bases.demo"),
    BaseModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct",
        0.362, EN, APACHE, False, "bases.small_english",
    ),
    BaseModel(
        "Qwen/Qwen2.5-0.5B-Instruct",
        0.494, BOTH, APACHE, False, "bases.small_chinese",
    ),
    BaseModel(
        "meta-llama/Llama-3.2-1B-Instruct",
        1.236, EN, "Llama 3.2", True, "bases.llama",
    ),
    BaseModel(
        "Qwen/Qwen2.5-1.5B-Instruct",
        1.544, BOTH, APACHE, False, "bases.six_gigabytes",
    ),
    BaseModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        1.711, EN, APACHE, False, "bases.open_english",
    ),
    BaseModel(
        "Qwen/Qwen1.5-1.8B-Chat",
        1.837, BOTH, "Tongyi Qianwen Research", False,
        "bases.tutorials",
    ),
    BaseModel(
        "Qwen/Qwen3-4B-Instruct-2507",
        4.022, BOTH, APACHE, False, "bases.eight_gigabytes",
    ),
    BaseModel(
        "mistralai/Mistral-7B-Instruct-v0.3",
        7.248, EN, APACHE, False, "bases.large_english",
    ),
    BaseModel(
        "Qwen/Qwen2.5-7B-Instruct",
        7.616, BOTH, APACHE, False, "bases.large_chinese",
    ),
    BaseModel(
        "Qwen/Qwen2.5-14B-Instruct",
        14.77, BOTH, APACHE, False, "bases.largest",
    ),
)  # fmt: skip
"""From the smallest to the largest."""
