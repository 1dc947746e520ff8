"""`tuneproof search`: several trials of other settings, the best one measured on the test rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import ClusterOptions, DataOptions, LimitOptions
from tuneproof.cli.run import show_summary
from tuneproof.cli.settings import gather_config, name_run, require_model, require_rows
from tuneproof.cli.show import Screen

TRIALS = 6
"""Peers of this kind try two or three learning rates at two ranks."""
LOCAL = "local"


@dataclass(kw_only=True)
class SearchOptions(DataOptions, LimitOptions, ClusterOptions):
    """Options of `search`."""

    trials: Annotated[int, Option("--trials", metavar="N", min=2, max=64, help="cli.option.trials")] = TRIALS
    out: Annotated[Path | None, Option("--out", metavar="RUN", help="cli.option.out")] = None
    gate: Annotated[bool, Option("--gate", help="cli.option.gate")] = False
    restart: Annotated[bool, Option("--restart", help="cli.option.restart")] = False

    def knobs(self) -> dict[str, object]:
        """As ConfigOptions."""
        return super().knobs() | {"trials.search": self.trials}


def search_settings(options: SearchOptions, screen: Screen) -> int:
    """Search, and show the summary of the run that came of it; with --gate the verdict decides the exit code."""
    from tuneproof.cluster import Place, search
    from tuneproof.pipeline import RunRequest

    config = gather_config(options)
    require_rows(config)
    require_model(config)
    out = options.out or name_run(config).with_name(f"{name_run(config).name}-search")
    place = Place(options.cluster or LOCAL, options.workers)
    with screen.follow() as progress:
        run = search(place, RunRequest(config, out, screen.command, options.restart), progress)
    return show_summary(run, screen, gate=options.gate)


COMMAND = Command(
    "search",
    SearchOptions,
    search_settings,
    (
        "tuneproof search rows.jsonl --model demo",
        "tuneproof search rows.jsonl --model ./my-model --trials 12 --set lora.rank=16",
        "tuneproof search rows.jsonl --model ./my-model --cluster auto --workers 4",
    ),
)
