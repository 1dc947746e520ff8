"""A processor's heap is kept for a training by its largest tensor's size, and let go of for who asks in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.training.conftest import SHAPE, Bench
from tuneproof.model.step import get_base
from tuneproof.training import guards, heap
from tuneproof.training.recovery import Shape
from tuneproof.training.train import StepLog, train_adapter


@pytest.mark.parametrize("shape", [SHAPE, Shape(pack_tokens=8, loss_chunk=16, plain_head=True)])
def test_training_is_kept_by_its_widest_layer_and_fullest_pack(
    make_bench: Callable[..., Bench], shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that is longer than a pack is to be fills one of its own."""
    told: list[tuple[str, int]] = []
    inside: list[str] = []

    @contextmanager
    def note(device: str, block: int) -> Iterator[None]:
        told.append((device, block))
        inside.append("begun")
        yield
        inside.append("ended")

    monkeypatch.setattr(heap, "keep_heap", note)
    monkeypatch.setattr(guards, "release_heap", lambda: inside.append("released"))
    bench = make_bench(folder="kept", max_steps=2, save_steps=1)
    log = StepLog([], lambda report: None, on_checkpoint=lambda step: inside.append(f"asked {step}"))
    train_adapter(bench.model, bench.rows, config=bench.config, shape=shape, folder=bench.folder, log=log)
    lengths = sorted(len(row.ids) for row in bench.rows.encoded)
    full = min(shape.pack_tokens, sum(lengths[-bench.config.train.batch_size :]))
    assert told == [("cpu", 4 * get_base(bench.model).config.intermediate_size * max(full, lengths[-1]))]
    assert inside == ["begun", "released", "asked 1", "released", "ended"]
