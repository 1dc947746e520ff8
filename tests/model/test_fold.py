"""Folding an adapter into the weights: the same answers, the same weights afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.model.test_drift import make_model
from tuneproof.model.fold import fold_adapter
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import scale_adapter

PROMPTS = [[5, 6, 7, 8], [9, 10], [11, 12, 13]]


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_folded_answers_are_the_adapters(tiny_model_dir: Path, scale: float) -> None:
    model = make_model(tiny_model_dir, 0.5).eval()
    scale_adapter(model, scale)
    ids = torch.tensor(PROMPTS[:1])
    with torch.no_grad():
        plain = model(input_ids=ids).logits
        with model.disable_adapter():
            base = model(input_ids=ids).logits
        with fold_adapter(model):
            folded = model(input_ids=ids).logits
    assert (plain - base).abs().max() > 100 * (plain - folded).abs().max()
    assert torch.allclose(folded, plain, rtol=1e-4, atol=1e-5)
    apart = generate_answers(model, PROMPTS, limits=[12] * 3, ends=[])
    with fold_adapter(model):
        assert generate_answers(model, PROMPTS, limits=[12] * 3, ends=[]) == apart


def test_the_weights_are_the_same_bits_afterwards(tiny_model_dir: Path) -> None:
    model = make_model(tiny_model_dir, 0.5)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with fold_adapter(model):
        changed = [name for name, weight in model.state_dict().items() if not torch.equal(weight, before[name])]
    # Seven linear layers of each of the two blocks.
    assert len(changed) == 14
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    ids = torch.tensor(PROMPTS[:1])
    with torch.no_grad(), model.eval().disable_adapter():
        base = model(input_ids=ids).logits
    with torch.no_grad():
        assert not torch.allclose(model(input_ids=ids).logits, base)


def test_nothing_is_folded_where_the_sum_would_be_rounded_or_the_adapter_is_off(tiny_model_dir: Path) -> None:
    model = make_model(tiny_model_dir, 0.5)
    before = [weight.clone() for weight in model.parameters()]
    with model.disable_adapter(), fold_adapter(model):
        assert all(torch.equal(weight, old) for weight, old in zip(model.parameters(), before, strict=True))
    half = model.to(torch.bfloat16)
    before = [weight.clone() for weight in half.parameters()]
    with fold_adapter(half):
        assert all(torch.equal(weight, old) for weight, old in zip(half.parameters(), before, strict=True))
