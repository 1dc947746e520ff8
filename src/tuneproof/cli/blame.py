"""`tuneproof blame`: the training rows that did most to change an answer of the tuned model."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from tuneproof.cli.app import Command
from tuneproof.cli.options import TrustOptions
from tuneproof.cli.screens.blame import draw_blames
from tuneproof.cli.show import Screen
from tuneproof.messages import tell


@dataclass(kw_only=True)
class BlameOptions(TrustOptions):
    """Options of `blame`."""

    run: Annotated[Path, Argument(metavar="RUN", help="cli.option.run")]
    item: Annotated[str, Argument(metavar="ITEM", help="cli.option.item")]
    top: Annotated[int, Option("--top", metavar="N", min=1, help="cli.option.top")] = 5


def show_blame(options: BlameOptions, screen: Screen) -> int:
    """Rank the rows for one item, or for each lost one, and show the first of them."""
    from tuneproof.pipeline import BlameRequest, blame_item

    with screen.follow() as progress:
        blames = blame_item(BlameRequest(options.run, options.item, options.top), progress)
    shown = [blame.model_copy(update={"rows": blame.rows[: options.top]}) for blame in blames]
    payload = {"run": str(options.run), "items": [blame.model_dump(mode="json") for blame in shown]}
    after = [tell("cli.next"), f"  # {tell('blame.report')}", f"  tuneproof report {shlex.quote(str(options.run))}"]
    screen.show(payload, draw_blames(shown, options.top), after if shown else [])
    return 0


COMMAND = Command(
    "blame",
    BlameOptions,
    show_blame,
    (
        "tuneproof blame runs/first lost",
        "tuneproof blame runs/first en-facts-001 --top 10",
        "tuneproof blame runs/first lost --json",
    ),
)
