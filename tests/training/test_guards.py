"""Guards: a weight that is no number is never saved, a loss that runs away is found early, and a good run is let be."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest
import torch

from tests.training.conftest import SHAPE, Bench
from tuneproof.errors import StoppedError, TrainingError
from tuneproof.training.checkpoint import list_checkpoints
from tuneproof.training.guards import WINDOW, LossWatch
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport


def train(bench: Bench, on_step: Callable[[StepReport], None], history: list[StepReport] | None = None) -> None:
    train_adapter(
        bench.model,
        bench.rows,
        config=bench.config,
        shape=SHAPE,
        folder=bench.folder,
        log=StepLog(history or [], on_step),
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_ends_the_run_at_its_step_and_is_not_saved(
    make_bench: Callable[..., Bench], value: float
) -> None:
    bench = make_bench(save_steps=1)
    names = [name for name, weight in bench.model.named_parameters() if weight.requires_grad]
    last = dict(bench.model.named_parameters())[names[-1]]

    def poison(report: StepReport) -> None:
        if report.step == 3:
            # After the backward pass, so that neither loss nor gradient of this step can tell.
            last.data[0, 0] = value

    with pytest.raises(TrainingError) as caught:
        train(bench, poison)
    assert caught.value.key == "train.not_finite"
    assert caught.value.where == "step 3"
    assert caught.value.values["what"] == "weight"
    assert "rows.jsonl:" in str(caught.value.values["rows"])
    assert list_checkpoints(bench.folder) == [1, 2]


def test_a_loss_that_runs_away_ends_the_run(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(max_steps=300, save_steps=300)
    losses: list[float] = []

    def spoil(report: StepReport) -> None:
        losses.append(report.loss)
        if report.step == WINDOW:
            bench.model.get_base_model().lm_head.weight.data.mul_(100)

    with pytest.raises(TrainingError) as caught:
        train(bench, spoil)
    assert caught.value.key == "train.diverged"
    assert caught.value.exit_code == 5
    assert losses[-1] > losses[0] + 2
    assert len(losses) == 2 * WINDOW


def test_what_learns_or_scatters_is_let_be() -> None:
    scatter = torch.Generator().manual_seed(1)
    for start, end in ((2.5, 0.2), (0.4, 0.3), (9.0, 3.0), (1.0, 1.0)):
        noise = torch.randn(2000, generator=scatter).tolist()
        watch = LossWatch([])
        for step, one in enumerate(noise, start=1):
            watch.look(step, start + (end - start) * step / 2000 + one)
        assert len(watch.losses) == len(noise)


def test_steps_of_an_earlier_process_count() -> None:
    watch = LossWatch([1.0] * WINDOW + [4.0] * (WINDOW - 1))
    with pytest.raises(TrainingError, match=r"4\.00 on average, 1\.00 over the first"):
        watch.look(2 * WINDOW, 4.0)


def test_a_signal_in_the_last_step_still_ends_the_run(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(max_steps=4)

    def interrupt(report: StepReport) -> None:
        if report.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with pytest.raises(StoppedError) as caught:
            train(bench, interrupt)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.exit_code == 143
    assert list_checkpoints(bench.folder) == [2, 4]
