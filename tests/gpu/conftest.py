"""GPU checks run where there is a CUDA device, and say so where there is none."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import suppress
from traceback import walk_tb

import pytest
import torch
from transformers import Qwen2Config


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip everything in this folder without a CUDA device."""
    if not torch.cuda.is_available():
        for item in items:
            if "tests/gpu" in item.path.as_posix():
                item.add_marker(pytest.mark.skip(reason="no CUDA device in this machine"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let go of what a failed test held once it is told: its frames would keep a model on the device."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    while error is not None:
        for frame, _ in walk_tb(error.__traceback__):
            with suppress(RuntimeError, AttributeError):
                frame.clear()
                # pytest has looked at them, and what was looked at is kept beside the frame.
                frame.f_locals.clear()
        error = error.__cause__ or error.__context__
    return report


@pytest.fixture(autouse=True)
def free() -> None:
    """Nothing left over on the device from the test before."""
    gc.collect()
    torch.cuda.empty_cache()


@pytest.fixture(scope="session")
def qwen_config() -> Qwen2Config:
    """Qwen1.5-1.8B's dimensions: the first user's model."""
    return Qwen2Config(
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5504,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        max_position_embeddings=32768,
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        use_sliding_window=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
    )
