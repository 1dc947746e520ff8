"""A tracker is told of every step, writes where it should, and changes nothing; a missing one is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import SHAPE, Bench
from tuneproof.errors import ConfigError
from tuneproof.training.trackers import FOLDER, require_trackers
from tuneproof.training.train import StepLog, train_adapter


def train(bench: Bench) -> list[float]:
    """The loss of each step."""
    losses: list[float] = []
    log = StepLog([], lambda report: losses.append(report.loss))
    train_adapter(bench.model, bench.rows, config=bench.config, shape=SHAPE, folder=bench.folder, log=log)
    return losses


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_is_told_each_step_and_changes_nothing(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    plain, tracked = make_bench("plain/checkpoints"), make_bench("tracked/checkpoints")
    tracked.config.report.trackers = ["tensorboard"]
    losses = train(plain)
    assert train(tracked) == losses
    assert not (tmp_path / "plain" / FOLDER).exists()
    read = EventAccumulator(str(tmp_path / "tracked" / FOLDER))
    read.Reload()
    assert [event.value for event in read.Scalars("train/loss")] == pytest.approx(losses, abs=1e-3)


def test_a_missing_tracker_is_named_before_anything_is_trained() -> None:
    with pytest.raises(ConfigError) as caught:
        require_trackers(["no_such_tracker"])
    assert "pip install no_such_tracker" in str(caught.value)
