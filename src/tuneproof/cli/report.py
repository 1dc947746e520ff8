"""`tuneproof report`: write report.html again from the run folder. Loads no model."""

from __future__ import annotations

from tuneproof.cli.app import Command
from tuneproof.cli.options import RunOptions
from tuneproof.cli.show import Screen
from tuneproof.messages import current_language, tell


def write_report(options: RunOptions, screen: Screen) -> int:
    """Write the page and say where it is."""
    from tuneproof.pipeline import report_run

    path = report_run(options.run, current_language())
    screen.show({"report": str(path)}, lines=[tell("cli.report.written", path=path)])
    return 0


COMMAND = Command(
    "report", RunOptions, write_report, ("tuneproof report runs/demo", "tuneproof report runs/demo --lang zh")
)
