"""Soft targets: what is learnt is the base's own distribution, exactly, beside rows that are learnt word by word."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.model.test_step import gradients, load_tuned
from tuneproof.model import likely
from tuneproof.model.chat import Encoded
from tuneproof.model.drift import Reading
from tuneproof.model.likely import soften_rows
from tuneproof.model.step import build_pack, count_trained, read_logits, sum_loss

ROWS = [Encoded(list(range(5, 29)), [False] * 9 + [True] * 15), Encoded([10, 11, 12, 13], [False, True, True, True])]
READING = Reading(pack_tokens=64, chunk=4, plain_head=True)


def test_rows_get_the_bases_own_distribution_whatever_the_adapter_says(tiny_model_dir: Path) -> None:
    model = load_tuned(tiny_model_dir)
    soft = soften_rows(model, ROWS, READING)
    for row, plain in zip(soft, ROWS, strict=True):
        assert row[:2] == plain[:2]
        assert row.likely is not None
        with model.disable_adapter(), torch.no_grad():
            shares = read_logits(model, build_pack([plain], "cpu")).softmax(-1)
        top = shares.topk(likely.KEPT, -1)
        assert torch.equal(row.likely.ids_NK, top.indices)
        wanted = top.values / top.values.sum(-1, keepdim=True)
        torch.testing.assert_close(row.likely.shares_NK, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("plain_head", [True, False])
def test_loss_and_gradient_are_those_of_a_weighted_cross_entropy(tiny_model_dir: Path, plain_head: bool) -> None:
    """One soft row and a plain one in a pack, in chunks that cut both."""
    model = load_tuned(tiny_model_dir).train()
    rows = [soften_rows(model, ROWS[:1], READING)[0], ROWS[1]]
    logits = read_logits(model, build_pack(rows, "cpu"))
    wanted = torch.zeros_like(logits)
    assert rows[0].likely is not None
    count = count_trained(rows[:1])
    wanted[:count].scatter_(1, rows[0].likely.ids_NK, rows[0].likely.shares_NK)
    wanted[torch.arange(count, len(wanted)), torch.tensor(ROWS[1].ids[1:])] = 1.0
    plain: Tensor = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
    expected = gradients(model, plain)
    loss = sum_loss(model, build_pack(rows, "cpu"), chunk=4, plain_head=plain_head)
    torch.testing.assert_close(loss, plain, rtol=1e-5, atol=1e-5)
    found = gradients(model, loss)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-5)


def test_the_base_is_at_rest_where_it_began(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all words kept its own distribution pulls it nowhere; its own words alone do."""
    model = load_tuned(tiny_model_dir).train()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.zero_()
    monkeypatch.setattr(likely, "KEPT", 10**6)
    soft = gradients(model, sum_loss(model, build_pack(soften_rows(model, ROWS, READING), "cpu"), chunk=4))
    hard = gradients(model, sum_loss(model, build_pack(ROWS, "cpu"), chunk=4))
    strongest = max(float(gradient.abs().max()) for gradient in hard.values())
    assert all(float(gradient.abs().max()) < 1e-4 * strongest for gradient in soft.values())
