"""The first choices on one screen: what each takes, whether it fits, its languages and licence, and why it is listed.

In: the list as the pipeline made it. Out: something rich can print.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import format_bytes
from tuneproof.cli.screens.frame import make_part, make_table
from tuneproof.cli.words import name_of
from tuneproof.messages import tell
from tuneproof.records.bases import BaseChoices, BaseFit

COLUMNS = ("model", "full", "nf4", "fit", "languages")
STYLES = {"full": "green", "nf4": "yellow", "no": "dim"}


def draw_bases(choices: BaseChoices) -> RenderableType:
    """Heading, table, what the figures mean, and the reasons."""
    limit = format_bytes(choices.limit_bytes)
    head = tell("bases.head", device=choices.device.upper(), limit=limit)
    note = tell("bases.note", tokens=choices.tokens, rank=choices.rank, dtype=choices.dtype)
    table = make_table(
        [tell(f"bases.column.{name}") for name in COLUMNS], map(_make_row, choices.bases), numbers=(1, 2)
    )
    table.columns[0].no_wrap = True  # A name is copied.
    reasons = [make_part(base.name, f"{_name_licence(base)}. {tell(base.reason)}") for base in choices.bases]
    return Group(
        Text(head, style="bold"), Text(), table, Text(), *reasons, Text(note), Text(), Text(tell("bases.next"))
    )


def _make_row(base: BaseFit) -> list[str | Text]:
    nf4 = format_bytes(base.nf4_bytes) if base.nf4_bytes is not None else tell("bases.none")
    fit = Text(name_of("bases.fit", base.fit), style=STYLES[base.fit])
    return [base.name, format_bytes(base.full_bytes), nf4, fit, " ".join(base.languages)]


def _name_licence(base: BaseFit) -> str:
    return f"{base.licence}{tell('bases.gated') if base.gated else ''}"
