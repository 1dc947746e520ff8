"""Training: learns, counts, survives being stopped, stops on what is not finite, and a finished run stays finished."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.training.conftest import SHAPE, Bench
from tuneproof.config import RunConfig
from tuneproof.errors import StoppedError, TrainingError
from tuneproof.model.generate import generate_answers
from tuneproof.records import TrainingRecord
from tuneproof.training.checkpoint import list_checkpoints
from tuneproof.training.recovery import Shape
from tuneproof.training.train import StepLog, _arguments, count_steps, train_adapter
from tuneproof.training.trainer import StepReport


def train(bench: Bench, reports: list[StepReport], shape: Shape = SHAPE) -> TrainingRecord:
    return train_adapter(
        bench.model,
        bench.rows,
        config=bench.config,
        shape=shape,
        folder=bench.folder,
        log=StepLog(list(reports), reports.append),
    )


def hash_adapter(folder: Path, step: int) -> str:
    return hashlib.sha256((folder / f"checkpoint-{step}" / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_loss_falls_and_counts_add_up(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(epochs=6.0, learning_rate=3e-2)
    # A random head of 0.02 gives near equal logits whatever the adapter does; a trained model's rows are far apart.
    bench.model.get_base_model().lm_head.weight.data.mul_(20)
    reports: list[StepReport] = []
    record = train(bench, reports)
    assert record.steps == len(reports) == count_steps(23, bench.config) == 36
    assert record.tokens == 6 * bench.rows.tokens
    assert record.trained_tokens == 6 * bench.rows.trained_tokens
    assert record.final_loss == reports[-1].loss
    # The first and the last epoch hold the same rows.
    first, last = sum(r.loss for r in reports[:6]), sum(r.loss for r in reports[-6:])
    assert last < 0.5 * first


def test_how_a_step_is_cut_does_not_change_the_losses(make_bench: Callable[..., Bench]) -> None:
    curves = []
    for name, shape in (("a", SHAPE), ("b", Shape(24, 3, True)), ("c", Shape(128, 16, False, pack_rows=1))):
        bench = make_bench(folder=name, max_steps=4)
        for module in bench.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        reports: list[StepReport] = []
        train(bench, reports, shape)
        curves.append([report.loss for report in reports])
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)
    assert curves[2] == pytest.approx(curves[0], rel=1e-4)


def test_a_stopped_run_goes_on_to_the_same_adapter(make_bench: Callable[..., Bench]) -> None:
    whole: list[StepReport] = []
    bench = make_bench(folder="whole")
    train(bench, whole)
    parts: list[StepReport] = []

    class Interrupting(list[StepReport]):
        def append(self, report: StepReport) -> None:
            super().append(report)
            parts.append(report)
            if report.step == 3:
                os.kill(os.getpid(), signal.SIGINT)

    stopped = make_bench(folder="parts")
    with pytest.raises(StoppedError) as caught:
        train_adapter(
            stopped.model,
            stopped.rows,
            config=stopped.config,
            shape=SHAPE,
            folder=stopped.folder,
            log=StepLog([], Interrupting().append),
        )
    assert caught.value.exit_code == 130
    assert list_checkpoints(stopped.folder) == [2, 3]
    resumed = make_bench(folder="parts")
    record = train(resumed, parts)
    assert record.steps == 6
    assert record.tokens == bench.rows.tokens
    assert hash_adapter(resumed.folder, 6) == hash_adapter(bench.folder, 6)
    assert [report.loss for report in parts] == [report.loss for report in whole]


def test_a_model_that_is_asked_at_its_checkpoints_learns_the_same(make_bench: Callable[..., Bench]) -> None:
    """With dropout, so that a random number too many would show; the last checkpoint is asked about elsewhere."""
    plain, watched = make_bench(folder="plain", max_steps=6), make_bench(folder="watched", max_steps=6)
    train(plain, [])
    asked: list[int] = []

    def ask(step: int) -> None:
        asked.append(step)
        generate_answers(watched.model, [[5, 6, 7]], limits=[8], ends=[2], batch_size=1)
        time.sleep(0.2)

    begun = time.perf_counter()
    record = train_adapter(
        watched.model, watched.rows, config=watched.config, shape=SHAPE, folder=watched.folder,
        log=StepLog([], lambda report: None, on_checkpoint=ask),
    )  # fmt: skip
    assert asked == [2, 4]
    assert record.seconds < time.perf_counter() - begun - 0.4
    assert hash_adapter(watched.folder, 6) == hash_adapter(plain.folder, 6)


def test_a_finished_run_trains_no_further_step(make_bench: Callable[..., Bench]) -> None:
    reports: list[StepReport] = []
    bench = make_bench(max_steps=4)
    first = train(bench, reports)
    before = hash_adapter(bench.folder, 4)
    for _ in range(2):
        again = train(make_bench(max_steps=4), reports)
        assert (again.tokens, again.final_loss) == (first.tokens, first.final_loss)
    assert len(reports) == 4
    assert hash_adapter(bench.folder, 4) == before


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_what_is_not_finite_stops_before_the_weights_change(make_bench: Callable[..., Bench], what: str) -> None:
    bench = make_bench(save_steps=1)
    reports: list[StepReport] = []

    def poison(report: StepReport) -> None:
        reports.append(report)
        __, weight = next((n, p) for n, p in bench.model.named_parameters() if p.requires_grad)
        if report.step == 2 and what == "gradient":
            weight.register_hook(lambda gradient: gradient * float("nan"))
        elif report.step == 2:
            weight.data.fill_(float("inf"))

    with pytest.raises(TrainingError) as caught:
        train_adapter(
            bench.model,
            bench.rows,
            config=bench.config,
            shape=SHAPE,
            folder=bench.folder,
            log=StepLog([], poison),
        )
    assert caught.value.key == "train.not_finite"
    assert "rows.jsonl:" in str(caught.value)
    assert caught.value.exit_code == 5
    assert list_checkpoints(bench.folder)


def test_a_second_card_changes_nothing(tmp_path: Path) -> None:
    """The Trainer would take every card that it sees, and a batch for each."""
    config = RunConfig()
    config.train.learning_rate, config.train.save_steps = 1e-3, 2
    assert _arguments(config, 4, tmp_path, "cpu").n_gpu == 1
