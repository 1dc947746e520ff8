"""Drift between the arms: zero for an untrained adapter, the textbook's value for a trained one, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import kl_div, log_softmax

from tuneproof.model.chat import Encoded
from tuneproof.model.drift import Reading, measure_drift
from tuneproof.model.load import add_adapter, load_base

ROWS = [
    Encoded([5, 6, 7, 8, 9], [False, False, True, True, True]),
    Encoded([11, 12, 13], [True, True, True]),
    Encoded([14, 15, 16, 17], [False, False, False, True]),
]


def make_model(folder: Path, spread: float) -> Any:
    """A tiny model whose adapter's B is random of that size; 0 leaves it untrained."""
    model = add_adapter(
        load_base(str(folder), device="cpu", dtype="float32").model, rank=2, alpha=4, dropout=0.1, targets="all-linear"
    )
    generator = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = spread * torch.randn(parameter.shape, generator=generator)
    return model


def test_an_untrained_adapter_has_not_moved(tiny_model_dir: Path) -> None:
    for drift in measure_drift(make_model(tiny_model_dir, 0.0), ROWS, Reading(64, 2, True)):
        assert drift.kl == pytest.approx(0.0, abs=1e-7)
        assert drift.tuned_loss == pytest.approx(drift.base_loss)
        assert drift.base_loss > 1.0


@pytest.mark.parametrize(
    "reading", [Reading(64, 2, True), Reading(6, 256, True), Reading(64, 3, False), Reading(64, 8, True, pack_rows=1)]
)
def test_it_is_the_textbooks_divergence_however_rows_are_read(tiny_model_dir: Path, reading: Reading) -> None:
    model = make_model(tiny_model_dir, 2.0)
    model.eval()
    for row, drift in zip(ROWS, measure_drift(model, ROWS, reading), strict=True):
        ids = torch.tensor([row.ids])
        counted = [at for at, seen in enumerate(row.mask) if seen and at > 0]
        with torch.no_grad():
            tuned = log_softmax(model(input_ids=ids).logits[0], -1)
            with model.disable_adapter():
                base = log_softmax(model(input_ids=ids).logits[0], -1)
        before = [at - 1 for at in counted]
        expected = kl_div(tuned[before], base[before], log_target=True, reduction="sum")
        assert drift.kl == pytest.approx(float(expected), rel=1e-4)
        assert drift.kl > 1e-3
        assert drift.tokens == len(counted)
        assert drift.tuned_loss == pytest.approx(-sum(float(tuned[at - 1, row.ids[at]]) for at in counted), rel=1e-4)


def test_the_model_is_left_as_it_was(tiny_model_dir: Path) -> None:
    model = make_model(tiny_model_dir, 1.0)
    model.train()
    first, second = (measure_drift(model, ROWS, Reading(64, 8, True)) for _ in range(2))
    assert first == second
    assert model.training


def test_no_rows_no_drift(tiny_model_dir: Path) -> None:
    assert measure_drift(make_model(tiny_model_dir, 1.0), [], Reading(64, 8, True)) == []
