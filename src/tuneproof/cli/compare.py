"""`tuneproof compare`: runs side by side, paired on the items that they share. Loads no model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument

from tuneproof.cli.app import Command
from tuneproof.cli.options import Options
from tuneproof.cli.screens.comparison import draw_comparison
from tuneproof.cli.show import Screen


@dataclass(kw_only=True)
class CompareOptions(Options):
    """Options of `compare`."""

    runs: Annotated[list[Path], Argument(metavar="RUN RUN...", help="cli.option.runs")]


def show_difference(options: CompareOptions, screen: Screen) -> int:
    """Compare every further run with the first, and show the differences."""
    from tuneproof.pipeline import compare_runs

    comparison = compare_runs(options.runs)
    screen.show(comparison.model_dump(mode="json"), draw_comparison(comparison))
    return 0


COMMAND = Command(
    "compare",
    CompareOptions,
    show_difference,
    (
        "tuneproof compare runs/first runs/second",
        "tuneproof compare runs/first runs/second runs/third --json",
    ),
)
