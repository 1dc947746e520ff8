"""`tuneproof check`: the data doctor."""

from __future__ import annotations

from tuneproof.cli.app import Command
from tuneproof.cli.options import DataOptions
from tuneproof.cli.screens.data import draw_check
from tuneproof.cli.settings import gather_config, require_rows
from tuneproof.cli.show import Screen


def check_rows(options: DataOptions, screen: Screen) -> int:
    """Check the rows and show what was found. Findings are no failure: the exit code is 0."""
    from tuneproof.pipeline import check_data

    config = gather_config(options)
    require_rows(config)
    with screen.follow() as progress:
        report = check_data(config, progress)
    screen.show(report.model_dump(mode="json"), draw_check(report))
    return 0


COMMAND = Command(
    "check",
    DataOptions,
    check_rows,
    (
        "tuneproof check rows.jsonl",
        "tuneproof check rows.jsonl more.csv --model demo",
        "tuneproof check rows.csv --json --set data.columns='{output: reply}'",
    ),
)
