"""What training did, on one screen.

In: a TrainingRecord, and the run folder. Out: something rich can print, and lines to paste.
"""

from __future__ import annotations

import shlex

from rich.console import RenderableType

from tuneproof.cli.figures import format_bytes, format_count, format_seconds
from tuneproof.cli.screens.frame import make_facts, make_part
from tuneproof.figures import format_decimal, to_plain
from tuneproof.messages import tell
from tuneproof.records import TrainingRecord
from tuneproof.rundir import RunDir


def draw_training(training: TrainingRecord) -> RenderableType:
    """Rows, tokens, steps, loss, memory and time."""
    facts = [
        (tell("cli.train.rows"), f"{training.rows:,} ({tell('cli.train.replay', n=training.replay_rows)})"),
        (tell("cli.train.tokens"), f"{training.trained_tokens:,} / {training.tokens:,}"),
        (tell("report.row.steps"), format_count(training.steps)),
        (tell("cli.train.loss"), to_plain(format_decimal(training.final_loss))),
        (tell("report.row.measured"), format_bytes(training.peak_bytes)),
        (tell("cli.took"), format_seconds(training.seconds)),
    ]
    return make_part(tell("cli.train.headline"), make_facts(facts))


def list_steps(run: RunDir) -> list[str]:
    """Where the checkpoints are, and what to type next."""
    step = f"  tuneproof eval {shlex.quote(str(run.path))}"
    return [tell("cli.train.checkpoints", place=run.checkpoints), tell("cli.next"), step]
