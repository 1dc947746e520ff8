"""`tuneproof train`: train from a config, or go on in a run folder; measuring is left to `eval`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.launch import go_on, start_run
from tuneproof.cli.options import ConfigOptions, RankOptions, TrustOptions
from tuneproof.cli.screens.training import draw_training, list_steps
from tuneproof.cli.settings import gather_config, name_run, require_model, require_rows
from tuneproof.cli.show import Screen
from tuneproof.errors import RunError, UsageError
from tuneproof.progress import Progress
from tuneproof.records import RunRecord
from tuneproof.rundir import RunDir


@dataclass(kw_only=True)
class TrainOptions(TrustOptions, RankOptions):
    """Options of `train`."""

    source: Annotated[Path, Argument(metavar="RUN|CONFIG", help="cli.option.source")]
    settings: Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="cli.option.set")] = None
    out: Annotated[Path | None, Option("--out", metavar="RUN", help="cli.option.out")] = None


def train_source(options: TrainOptions, screen: Screen) -> int:
    """Train, and show what training did. Raises UsageError for settings that a run folder could not take up."""
    if options.source.is_dir() and (options.settings or options.out):
        raise UsageError("cli.settled", where=str(options.source))
    with screen.follow() as progress:
        run = _train(options, screen.command, progress)
    record = run.load(RunRecord)
    if record.training is None:
        raise RunError("run.missing", where=str(run.path / "run.json"), file="training")
    screen.show(
        {"run": str(run.path), **record.model_dump(mode="json")}, draw_training(record.training), list_steps(run)
    )
    return 0


def _train(options: TrainOptions, command: str, progress: Progress) -> RunDir:
    from tuneproof.pipeline import RunRequest

    if options.source.is_dir():
        return go_on(options, options.source, progress, until="train")
    config = gather_config(ConfigOptions(config=options.source, settings=options.settings))
    require_rows(config)
    require_model(config)
    request = RunRequest(config, options.out or name_run(config), command, until="train")
    return start_run(options, request, progress)


COMMAND = Command(
    "train",
    TrainOptions,
    train_source,
    (
        "tuneproof train run.yaml",
        "tuneproof train run.yaml --out runs/first --set train.epochs=2",
        "tuneproof train runs/first",
        "tuneproof train run.yaml --gpus 2",
    ),
)
