"""Packed rows never see each other, and packs never exceed their budget."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from transformers import AutoModelForCausalLM, MistralConfig

from tuneproof.model.packing import ATTENTION, check_isolation, pack_lengths


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(50, 400))
def test_every_row_is_packed_once_within_the_budget(lengths: list[int], budget: int) -> None:
    packs = pack_lengths(lengths, budget)
    assert sorted(index for pack in packs for index in pack) == list(range(len(lengths)))
    for pack in packs:
        assert sum(lengths[index] for index in pack) <= budget or len(pack) == 1


def test_best_fit_fills_packs() -> None:
    assert pack_lengths([60, 40, 30, 70], 100) == [[3, 2], [0, 1]]


def load_tiny(folder: Path, attention: str = ATTENTION) -> nn.Module:
    model: nn.Module = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention)
    return model.eval()


def test_packed_rows_give_the_logits_of_single_rows(tiny_model_dir: Path, tiny_qwen_dir: Path) -> None:
    for folder in (tiny_model_dir, tiny_qwen_dir):
        assert check_isolation(load_tiny(folder), tolerance=1e-5)


def test_isolation_check_finds_an_attention_that_mixes_rows(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_tiny(tiny_model_dir)
    original = model.forward

    def forget_segments(*arguments: object, segments: object = None, **named: object) -> object:
        if segments is not None:
            named["position_ids"] = torch.arange(12)[None]
        return original(*arguments, **named)

    monkeypatch.setattr(model, "forward", forget_segments)
    assert not check_isolation(model)


def test_a_sliding_window_holds_inside_a_packed_row() -> None:
    config = MistralConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=3,
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, attn_implementation=ATTENTION).eval()
    assert check_isolation(model, tolerance=1e-5)


def test_plain_generation_attention_equals_sdpa(tiny_model_dir: Path) -> None:
    ids = torch.tensor([[0, 0, 5, 6, 7], [3, 4, 5, 6, 7]])
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    with torch.no_grad():
        ours = load_tiny(tiny_model_dir)(input_ids=ids, attention_mask=mask).logits
        theirs = load_tiny(tiny_model_dir, "sdpa")(input_ids=ids, attention_mask=mask).logits
    torch.testing.assert_close(ours, theirs)
