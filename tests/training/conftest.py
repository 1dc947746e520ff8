"""A handful of rows and a tiny model, ready to be trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from transformers import set_seed

from tuneproof.config import RunConfig
from tuneproof.model.load import add_adapter, load_base
from tuneproof.records import Message, Row
from tuneproof.training.dataset import RowSet, encode_rows
from tuneproof.training.recovery import Shape

SHAPE = Shape(pack_tokens=128, loss_chunk=16, plain_head=True)


class Bench(NamedTuple):
    """Everything that `train_adapter` needs."""

    model: Any
    rows: RowSet
    config: RunConfig
    folder: Path


def make_rows(count: int) -> list[Row]:
    """Rows of different lengths."""
    rows = []
    for number in range(count):
        said = [
            Message(role="user", content=f"order {number}?"),
            Message(role="assistant", content="the " * (number % 5 + 1)),
        ]
        rows.append(Row(id=f"r{number}", file="rows.jsonl", line=number + 1, task="t", messages=said))
    return rows


@pytest.fixture
def make_bench(tiny_model_dir: Path, tmp_path: Path) -> Callable[..., Bench]:
    """A fresh model with the same initial weights on every call."""

    def make(folder: str = "checkpoints", **train: object) -> Bench:
        base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
        set_seed(17)
        model = add_adapter(base.model, rank=2, alpha=4, dropout=0.1, targets="all-linear")
        config = RunConfig()
        config.train.learning_rate, config.train.save_steps, config.train.epochs = 1e-3, 2, 1.0
        config.train.batch_size = 4
        for key, value in train.items():
            setattr(config.train, key, value)
        return Bench(model, encode_rows(base.tokenizer, make_rows(23)), config, tmp_path / folder)

    return make
