"""Rounding to 4 and 5 bits for rows: the bytes are ggml's, and what a model says moves less than by plain rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

from tests.export.runs import QUESTIONS, make_row, save_adapter, save_qwen
from tests.export.test_gguf import LLAMA3
from tests.export.test_merge import make_source, merge_qwen
from tuneproof.export.adapter import load_adapter
from tuneproof.export.gguf.rounding import (
    HALF,
    TOKENS,
    Observer,
    choose_rows,
    factor_inverse,
    pack_blocks,
    round_layers,
    round_weight,
)
from tuneproof.export.gguf.write import write_model
from tuneproof.export.merge import Merger
from tuneproof.export.parity.ggufs import load_model
from tuneproof.model.chat import encode_row
from tuneproof.model.load import load_tokenizer

FAMILIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "qwen2": (Qwen2Config, {}),
    "qwen3": (Qwen3Config, {"head_dim": 16}),
    "llama": (LlamaConfig, {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
}
ROWS = [make_row(number, question) for number, question in enumerate(QUESTIONS)]


def make_weight(seed: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """A weight of (48, 96) and inputs of (400, 96) that hang together, as those of a model do."""
    draw = torch.Generator().manual_seed(seed)
    weight = torch.randn(48, 96, generator=draw) * 0.1
    inputs = torch.randn(400, 12, generator=draw) @ torch.randn(12, 96, generator=draw)
    return weight, inputs + 0.1 * torch.randn(400, 96, generator=draw)


@pytest.mark.parametrize("kind", sorted(HALF))
def test_the_bytes_are_ggmls(kind: str) -> None:
    weight, inputs = make_weight()
    steps, scales = round_weight(weight, inputs.T @ inputs, HALF[kind])
    assert steps.min() == -HALF[kind]
    assert steps.max() <= HALF[kind] - 1
    read = gguf.quants.dequantize(pack_blocks(steps, scales, kind), gguf.GGMLQuantizationType[kind.upper()])
    assert np.array_equal(read, (steps * scales[..., None]).flatten(1).numpy())


@pytest.mark.parametrize("kind", sorted(HALF))
def test_a_layer_says_less_otherwise_than_by_plain_rounding(kind: str) -> None:
    weight, inputs = make_weight()
    steps, scales = round_weight(weight, inputs.T @ inputs, HALF[kind])
    number = gguf.GGMLQuantizationType[kind.upper()]
    plain = torch.from_numpy(gguf.quants.dequantize(gguf.quants.quantize(weight.numpy(), number), number))
    ours, theirs = (
        float((inputs @ (rounded - weight).T).square().mean())
        for rounded in ((steps * scales[..., None]).flatten(1), plain)
    )
    assert ours < 0.4 * theirs


def test_inputs_that_are_never_seen_are_rounded_plainly() -> None:
    weight, _ = make_weight()
    steps, scales = round_weight(weight, torch.zeros(96, 96), 8)
    number = gguf.GGMLQuantizationType.Q4_0
    plain = gguf.quants.dequantize(gguf.quants.quantize(weight.numpy(), number), number)
    # ggml divides by the scale before fp16 rounds it, so a weight in the middle of two steps can go to the other one.
    assert np.isclose((steps * scales[..., None]).flatten(1).numpy(), plain).mean() > 0.99
    zero, scale = round_weight(torch.zeros(2, 32), torch.eye(32), 8)
    assert not zero.any()
    assert scale.tolist() == [[1.0], [1.0]]


def test_the_factor_is_of_the_damped_inverse() -> None:
    seen = torch.diag(torch.arange(1.0, 5.0))
    upper = factor_inverse(seen)
    torch.testing.assert_close(upper.T @ upper, torch.linalg.inv(seen + 0.125 * torch.eye(4)))
    # Not positive definite until there is more damping; never.
    assert factor_inverse(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).isfinite().all()
    assert torch.equal(factor_inverse(torch.full((2, 2), torch.nan)), torch.eye(2))


def test_rows_come_from_all_over_the_file() -> None:
    chosen = choose_rows([[number] * 700 for number in range(100)])
    assert {len(row) for row in chosen} == {512}
    assert sum(map(len, chosen)) <= TOKENS
    assert chosen[0][0] == 0
    assert chosen[-1][0] > 80
    assert choose_rows([[1, 2], [3]]) == [[1, 2], [3]]


def test_an_observer_sums_what_goes_in() -> None:
    layer, seen = nn.Linear(3, 2), torch.randn(2, 5, 3)
    observer = Observer(layer)
    layer(seen)
    observer.close()
    layer(seen)
    flat = seen.reshape(-1, 3)
    torch.testing.assert_close(observer.sum, flat.T @ flat)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_file_is_nearer_to_the_run_than_one_that_is_rounded_plainly(name: str, tmp_path: Path) -> None:
    kind, options = FAMILIES[name]
    source = merge_qwen(tmp_path, kind, **options)
    truth: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    tokenizer = load_tokenizer(source.model)
    said = [torch.tensor([encode_row(tokenizer, row.messages).ids]) for row in ROWS]
    layers: list[int] = []
    errors = []
    for rows in ((), ROWS):
        write_model(source._replace(rows=rows), tmp_path / "m-Q4_0.gguf", "q4_0", lambda: layers.append(1))
        with torch.inference_mode():
            found = load_model(tmp_path / "m-Q4_0.gguf", torch.float32)
            errors.append(sum(float((found(ids).logits - truth(ids).logits).square().mean()) for ids in said))
    assert errors[1] < 0.6 * errors[0]
    reader = gguf.GGUFReader(tmp_path / "m-Q4_0.gguf")
    assert {tensor.tensor_type.name for tensor in reader.tensors if "ffn_up" in tensor.name} == {"Q4_0"}
    assert len(layers) == 2 * len(reader.tensors) + truth.config.num_hidden_layers


def test_every_layer_is_rounded_and_the_same_each_time(tmp_path: Path) -> None:
    base = save_qwen(tmp_path / "base", Qwen2Config)
    merger = Merger(make_source(base, save_adapter(base, tmp_path / "adapter")), load_adapter(tmp_path / "adapter"))
    rows = [[5 + (at * 7 + row) % 240 for at in range(30)] for row in range(6)]
    first = round_layers(merger, rows, "q4_0", lambda: None)
    again = round_layers(merger, rows, "q4_0", lambda: None)
    assert first.keys() == {
        f"model.layers.{layer}.{part}"
        for layer in range(2)
        for part in (
            "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
        )
    }  # fmt: skip
    assert all(np.array_equal(first[name], again[name]) for name in first)
