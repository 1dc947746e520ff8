"""A training whose packs are recorded learns what one learns whose packs are not, and says what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from tests.model.test_generate import Repeats
from tests.training.conftest import SHAPE, Bench
from tuneproof.errors import ModelError
from tuneproof.model import decoder, liger
from tuneproof.model.load import enable_checkpointing, is_recomputing
from tuneproof.model.step import get_base
from tuneproof.training.recording import Course, can_record, find_room, open_decoder
from tuneproof.training.recovery import Shape
from tuneproof.training.rehearse import rehearse_step
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport

COURSE = Course(batch_size=4, steps=6)


@pytest.fixture
def make_plain(make_bench: Callable[..., Bench]) -> Callable[..., Bench]:
    """A bench without dropout, of more than one pack a step."""

    def make(folder: str) -> Bench:
        bench = make_bench(folder=folder, max_steps=6)
        for module in bench.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return bench

    return make


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Repeats]]:
    """What would be recorded is done again each time."""
    monkeypatch.setattr(decoder, "Recorder", Repeats)
    Repeats.made.clear()
    yield Repeats
    Repeats.made.clear()


def train(bench: Bench, shape: Shape = SHAPE) -> tuple[list[float], list[tuple[list[int], str]]]:
    """Its losses, and what was said of recordings."""
    reports: list[StepReport] = []
    told: list[tuple[list[int], str]] = []
    log = StepLog(
        [],
        reports.append,
        on_checkpoint=lambda step: None,
        on_recorded=lambda lengths, why: told.append((lengths, why)),
    )
    train_adapter(bench.model, bench.rows, config=bench.config, shape=shape, folder=bench.folder, log=log)
    return [report.loss for report in reports], told


def read_adapter(bench: Bench) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in bench.model.named_parameters() if weight.requires_grad}


@pytest.mark.parametrize("shape", [SHAPE, Shape(24, 3, True), Shape(128, 16, True, pack_rows=1)])
def test_losses_and_weights_are_those_of_a_training_that_is_not_recorded(
    make_plain: Callable[..., Bench], shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, recorded = make_plain("plain"), make_plain("recorded")
    wanted, said = train(plain, shape)
    assert said == []
    monkeypatch.setattr(decoder, "Recorder", Repeats)
    Repeats.made.clear()
    found, told = train(recorded, shape)
    assert len(Repeats.made) >= 2
    assert [bool(lengths) and not why for lengths, why in told] == [True]
    assert found == pytest.approx(wanted, rel=1e-5)
    weights = read_adapter(plain)
    for name, weight in read_adapter(recorded).items():
        torch.testing.assert_close(weight, weights[name], rtol=1e-3, atol=1e-5)


def test_where_it_fails_the_training_goes_on_and_says_why(
    make_plain: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, _ = train(make_plain("plain"))

    class Fails(Repeats):
        why = "no stream"

        def record(self, work: Any, beside: Any = None) -> Any:
            self.works = False

    monkeypatch.setattr(decoder, "Recorder", Fails)
    found, told = train(make_plain("recorded"))
    assert told == [([], "no stream")]
    assert found == pytest.approx(wanted, rel=1e-6)


@pytest.fixture
def replayed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lengths of the backward passes; the second runs out of memory at its end."""
    lengths: list[int] = []
    backward = decoder.Replayed.backward

    def fail(ctx: Any, *outer: torch.Tensor) -> Any:
        lengths.append(ctx.length)
        found = backward(ctx, *outer)
        if len(lengths) == 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return found

    monkeypatch.setattr(decoder.Replayed, "backward", staticmethod(fail))
    return lengths


def test_memory_that_runs_out_in_a_recorded_step_is_recovered_from(
    make_plain: Callable[..., Bench], replayed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second step's backward pass fails once: packs are halved, recorded anew, and gradients begin at zero."""
    wanted, _ = train(make_plain("plain"))
    monkeypatch.setattr(decoder, "Recorder", Repeats)
    found, told = train(make_plain("short"))
    assert len(replayed) > 7
    assert len(told) == 1
    assert found == pytest.approx(wanted, rel=1e-5)


def test_what_was_recorded_is_let_go_of_when_activations_are_recomputed(
    make_plain: Callable[..., Bench], replayed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step of single rows that ran out of memory keeps its shape, and is not taken by the old recording again."""
    shape = Shape(128, 16, True, pack_rows=1)
    wanted, _ = train(make_plain("plain"), shape)
    monkeypatch.setattr(decoder, "Recorder", Repeats)
    bench = make_plain("short")
    found, _ = train(bench, shape)
    assert len(replayed) == 2
    assert is_recomputing(get_base(bench.model))
    assert found == pytest.approx(wanted, rel=1e-5)


def test_what_is_not_recorded(make_bench: Callable[..., Bench], make_plain: Callable[..., Bench]) -> None:
    """Numbers that are drawn, recomputed activations, a head of the model's own, a model that is split."""
    assert not can_record(make_bench(folder="dropout").model, SHAPE)
    model = make_plain("plain").model
    assert can_record(model, SHAPE)
    assert not can_record(model, SHAPE._replace(plain_head=False))
    assert not can_record(model, SHAPE._replace(in_step=True))
    enable_checkpointing(model.get_base_model())
    assert not can_record(model, SHAPE)


def test_packs_have_the_room_that_they_need(make_plain: Callable[..., Bench]) -> None:
    bench = make_plain("plain")
    lengths = sorted(len(row.ids) for row in bench.rows.encoded)
    room = find_room(bench.rows, SHAPE, COURSE)
    assert room.tokens == min(128, sum(lengths[-4:]))
    assert (room.rows, room.longest) == (4, lengths[-1])
    assert find_room(bench.rows, Shape(10, 16, True), COURSE).tokens == lengths[-1]
    assert find_room(bench.rows, Shape(10_000, 16, True), COURSE).packs == 6


def test_a_rehearsal_is_recorded_as_the_training_will_be(
    make_plain: Callable[..., Bench], recorder: type[Repeats]
) -> None:
    bench = make_plain("plain")
    before = read_adapter(bench)
    rehearsal = rehearse_step(bench.model, bench.rows, SHAPE, COURSE)
    assert rehearsal.speed > 0
    assert recorder.made
    assert all(weight.grad is None for weight in bench.model.parameters())
    for name, weight in read_adapter(bench).items():
        assert torch.equal(weight, before[name])


def test_kernels_that_are_not_installed_are_refused(
    make_plain: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tuneproof.training.recording.load_kernels", lambda: None)
    bench = make_plain("plain")
    with pytest.raises(ModelError) as caught:
        open_decoder(bench.model, bench.rows, SHAPE, COURSE._replace(kernels="liger"))
    assert caught.value.where == "train.kernels"
    assert not liger.find_kernels()
