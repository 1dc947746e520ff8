"""`tuneproof check`: the data doctor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import DataOptions
from tuneproof.cli.screens.data import draw_check
from tuneproof.cli.settings import gather_config, require_rows
from tuneproof.cli.show import Screen


@dataclass(kw_only=True)
class CheckOptions(DataOptions):
    """Options of `check`."""

    write_clean: Annotated[Path | None, Option("--write-clean", metavar="PATH", help="cli.option.write_clean")] = None


def check_rows(options: CheckOptions, screen: Screen) -> int:
    """Check the rows and show what was found. Findings are no failure: the exit code is 0."""
    from tuneproof.pipeline import check_data

    config = gather_config(options)
    require_rows(config)
    with screen.follow() as progress:
        report = check_data(config, progress, options.write_clean)
    screen.show(report.model_dump(mode="json"), draw_check(report))
    return 0


COMMAND = Command(
    "check",
    CheckOptions,
    check_rows,
    (
        "tuneproof check rows.jsonl",
        "tuneproof check rows.jsonl more.csv --model demo",
        "tuneproof check rows.jsonl --write-clean clean.jsonl",
        "tuneproof check rows.csv --json --set data.columns='{output: reply}'",
    ),
)
