"""Experiment trackers, off unless `report.trackers` names them: the Trainer's own integrations, told of each step.

In: names. Out: what the Trainer reports to, and callbacks. TensorBoard's files lie in `RUN/tensorboard`; where the
others write or send to is theirs to say, by their own settings in the environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from transformers import TrainerCallback
from transformers.integrations.integration_utils import TensorBoardCallback

from tuneproof.errors import ConfigError, Fault

FOLDER = "tensorboard"


def require_trackers(names: Sequence[str]) -> None:
    """Raise ConfigError for each tracker whose package is not installed."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise ConfigError([Fault("report.no_tracker", where="report.trackers", name=name) for name in missing])


def open_trackers(names: Sequence[str], run: Path) -> list[TrainerCallback]:
    """Callbacks of the trackers that write into the run's folder."""
    if "tensorboard" not in names:
        return []
    from torch.utils.tensorboard import SummaryWriter

    return [TensorBoardCallback(SummaryWriter(str(run / FOLDER)))]


def list_reports(names: Sequence[str]) -> list[str]:
    """The trackers that the Trainer sets up itself, for `TrainingArguments.report_to`."""
    return [name for name in names if name != "tensorboard"]
