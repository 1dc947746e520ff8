"""`tuneproof run`: the whole chain on the user's rows; run again, it goes on where it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rich.console import Group
from typer import Option

from tuneproof.cli.app import Command
from tuneproof.cli.launch import start_run
from tuneproof.cli.options import DataOptions, FolderOptions, LimitOptions, RankOptions, TrialOptions
from tuneproof.cli.screens.trials import draw_trials
from tuneproof.cli.screens.verdict import describe_run, draw_summary, list_steps
from tuneproof.cli.settings import gather_config, name_run, require_model, require_rows
from tuneproof.cli.show import Screen
from tuneproof.config.load import load_settled
from tuneproof.records import RunRecord, Trials, Verdict
from tuneproof.records.verdict import Decision
from tuneproof.rundir import RunDir

GATE: dict[Decision, int] = {"ship": 0, "dont_ship": 10, "not_enough_evidence": 11}


@dataclass(kw_only=True)
class ChainOptions(DataOptions, LimitOptions, TrialOptions, FolderOptions, RankOptions):
    """Options of `run`."""

    start: Annotated[str | None, Option("--from", metavar="RUN", help="cli.option.from")] = None

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions."""
        return super().knobs() | ({"train.start_from": self.start} if self.start is not None else {})


def run_chain(options: ChainOptions, screen: Screen) -> int:
    """Run the chain and show its summary; with --gate the verdict decides the exit code."""
    from tuneproof.pipeline import RunRequest

    config = gather_config(options)
    require_rows(config)
    if config.train.start_from is None:  # Else the model is that of the run gone on from.
        require_model(config)
    request = RunRequest(config, options.out or name_run(config), screen.command, options.restart, fork=options.fork)
    with screen.follow() as progress:
        run = start_run(options, request, progress)
    return show_summary(run, screen, gate=options.gate)


def show_summary(run: RunDir, screen: Screen, *, gate: bool = False) -> int:
    """Show how a run ended. Returns the exit code: with `gate` by verdict, else 0."""
    verdict = run.load(Verdict)
    model = load_settled(run.config).model.name or ""
    told, picture = describe_run(run, verdict), draw_summary(verdict)
    if run.has(Trials):
        trials = run.load(Trials)
        told["trials"], picture = trials.model_dump(mode="json"), Group(picture, draw_trials(trials))
    screen.show(told, picture, list_steps(run, run.load(RunRecord), model))
    return GATE[verdict.decision] if gate else 0


COMMAND = Command(
    "run",
    ChainOptions,
    run_chain,
    (
        "tuneproof run rows.jsonl --model demo",
        "tuneproof run rows.jsonl --model ./my-model --memory 6GB --time 2h",
        "tuneproof run rows.jsonl --test mine.jsonl --model ./my-model --gate",
        "tuneproof run rows.jsonl --model demo --seeds 3 --learning-curve",
        "tuneproof run rows.jsonl --model demo --cure",
        "tuneproof run rows.jsonl --model ./my-model --gpus 2",
        "tuneproof run rows.jsonl --model ./my-model --cluster auto --workers 4",
        "tuneproof run more.jsonl --from runs/first --out runs/second",
        "tuneproof run --config run.yaml --out runs/first --set lora.rank=16",
    ),
)
