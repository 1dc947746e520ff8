"""Both sides of a conversation, drawn: two columns where there is room for them, else one below the other.

In: texts by side. Out: something rich can print. What models said is shown as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuneproof.cli.screens.frame import make_facts
from tuneproof.cli.words import clean_text
from tuneproof.messages import tell

NARROW = 80
"""Columns below which two texts side by side cannot be read."""
COMMANDS = ("scale", "save", "system", "proof", "reset", "help", "quit")


class Shown(NamedTuple):
    """One side."""

    name: str
    text: str
    note: str = ""
    """How long it took, how it ended."""


def draw_sides(sides: Sequence[Shown], width: int) -> RenderableType:
    """What each side says."""
    if width < NARROW:
        return Group(*(_draw_side(side) for side in sides))
    table = Table.grid(padding=(0, 2), expand=True)
    for _ in sides:
        table.add_column(ratio=1, overflow="fold")
    table.add_row(*(_draw_side(side) for side in sides))
    return table


def _draw_side(side: Shown) -> RenderableType:
    head = Text.assemble((clean_text(side.name), "bold"), (f"  {side.note}" if side.note else "", "dim"))
    return Padding(Group(head, Text(clean_text(side.text))), (0, 0, 1, 0))


def draw_help() -> RenderableType:
    """The commands."""
    return Group(make_facts([(tell(f"chat.command.{name}"), tell(f"chat.does.{name}")) for name in COMMANDS]), Text())
