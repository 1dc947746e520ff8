"""Tiny models for the plan's tests: real architectures, random weights, nothing downloaded."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import LlamaConfig, Qwen2Config

TINY: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


@pytest.fixture(scope="session")
def tiny_llama() -> LlamaConfig:
    """Two layers, grouped heads, tied embeddings."""
    return LlamaConfig(**TINY, tie_word_embeddings=True)


@pytest.fixture(scope="session")
def tiny_qwen() -> Qwen2Config:
    """Two layers with biases, untied embeddings."""
    return Qwen2Config(**TINY, tie_word_embeddings=False)


@pytest.fixture(scope="session")
def qwen18() -> Qwen2Config:
    """The dimensions of Qwen1.5-1.8B-Chat, from its config.json."""
    return Qwen2Config(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5504,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
    )
