"""Packed rows never see each other, and packs never exceed their budget."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GptOssConfig, MistralConfig

from tuneproof.model.attention import (
    ATTENTION,
    attend_at_once,
    attend_row,
    attend_rows,
    choose_attention,
    lay_rows,
    takes_flash,
)
from tuneproof.model.packing import check_isolation, pack_lengths


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


def test_models_with_attention_sinks_keep_attention_of_their_own() -> None:
    """Ours knows no sinks: gpt-oss would be another model, without a word."""
    assert choose_attention(GptOssConfig()) == "eager"
    assert choose_attention(MistralConfig()) == ATTENTION


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_may_be_narrower_than_keys(dtype: torch.dtype) -> None:
    """As in multi-head latent attention."""
    torch.manual_seed(0)
    query, key = (torch.randn(1, 4, 9, 12, dtype=dtype) for _ in range(2))
    value = torch.randn(1, 4, 9, 8, dtype=dtype)
    wanted = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3)
    torch.testing.assert_close(attend_row(query, key, value, 0.3), wanted)
    assert not takes_flash(query, value)


@pytest.mark.parametrize("length", [1, 5, 40])
def test_attention_in_16_bit_is_nearer_to_the_truth_than_pytorchs(length: int) -> None:
    """Values and gradients of bf16 states with grouped heads, against fp64."""
    torch.manual_seed(0)
    shapes = ((1, 4, length, 8), (1, 2, length, 8), (1, 2, length, 8))
    states = [torch.randn(shape).bfloat16() for shape in shapes]
    outer = torch.randn(1, 4, length, 8).bfloat16()

    def run(attend: Callable[..., Tensor], dtype: torch.dtype) -> list[Tensor]:
        leaves = [state.to(dtype).requires_grad_() for state in states]
        output = attend(*leaves)
        output.backward(outer.to(dtype))
        return [output.detach(), *(leaf.grad for leaf in leaves if leaf.grad is not None)]

    def plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.3, enable_gqa=True)

    truth = run(plain, torch.float64)
    ours = run(lambda query, key, value: attend_row(query, key, value, 0.3), torch.bfloat16)
    theirs = run(plain, torch.bfloat16)
    for true, found, other in zip(truth, ours, theirs, strict=True):
        assert found.dtype == torch.bfloat16
        assert (found - true).norm() <= 1.1 * (other - true).norm() + 1e-6 * true.norm()


def attend_on_cpu(
    query: Tensor, key: Tensor, value: Tensor, ends: Tensor, key_ends: Tensor, *rest: Any, **options: Any
) -> tuple[Tensor, ...]:
    """The flash kernel's operator, written out for a CPU, which has none."""
    assert rest == (5, 5, 0.0, True, False)
    assert key_ends.tolist() == ends.tolist()
    left, grouped = options.get("window_size_left"), key.shape[1] != query.shape[1]
    outputs = []
    for start, end in pairwise(ends.tolist()):
        distance = torch.arange(end - start)[:, None] - torch.arange(end - start)[None]
        seen = (distance >= 0) & (distance <= (end if left is None else left))
        rows = [one[start:end].transpose(0, 1)[None] for one in (query, key, value)]
        made = nn.functional.scaled_dot_product_attention(
            rows[0], rows[1], rows[2], attn_mask=seen, scale=options["scale"], enable_gqa=grouped
        )
        outputs.append(made[0].transpose(0, 1))
    return torch.cat(outputs), torch.empty(0), torch.empty(0), torch.empty(0), torch.empty(0)


@pytest.mark.filterwarnings("ignore:.*Overriding a previously registered kernel.*")
def test_rows_go_to_one_kernel_with_their_ends_and_window() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, 9, 8) for heads in (4, 2, 2))
    for window in (None, 3):
        options: dict[str, Any] = {"segments": [4, 5], "scaling": 0.3, "sliding_window": window}
        wanted, _ = attend_rows(nn.Module(), query, key, value, None, **options)
        with torch.library._scoped_library("aten", "IMPL") as library:
            library.impl("_flash_attention_forward", attend_on_cpu, "CPU")
            found = attend_at_once((query, key, value), lay_rows([4, 5], query.device), 0.3, window)
        torch.testing.assert_close(found, wanted)


def test_states_that_the_flash_kernel_does_not_know_go_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fits(dtype: torch.dtype, width: int) -> bool:
        return takes_flash(torch.empty(1, 4, 9, width, dtype=dtype, device="meta"))

    assert not fits(torch.bfloat16, 64)
    monkeypatch.setattr("tuneproof.model.attention.FLASH_DEVICES", {"meta"})
    assert fits(torch.bfloat16, 64)
    assert fits(torch.float16, 256)
    assert not fits(torch.float32, 64)
    assert not fits(torch.bfloat16, 12)
    assert not fits(torch.bfloat16, 512)
