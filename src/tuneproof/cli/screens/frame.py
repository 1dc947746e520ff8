"""The parts of every screen: facts (name and value), lists, tables, bars, a column of text with a heading.

In: text, numbers. Out: something rich can print. No frame lines: what is shown can be copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

Cell = str | RenderableType


def make_text(cell: Cell) -> RenderableType:
    """Plain text of a string: nothing in it is markup."""
    return Text(cell) if isinstance(cell, str) else cell


def make_facts(facts: Iterable[tuple[str, Cell]]) -> Table:
    """Two columns: a name, and what is known of it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(Text(name), make_text(value))
    return table


def make_list(items: Iterable[str]) -> Table:
    """A hyphen before each item; a long one goes on below its own beginning."""
    table = Table.grid(padding=(0, 1))
    for item in items:
        table.add_row(Text("-"), Text(item))
    return table


def make_table(headings: Sequence[str], rows: Iterable[Sequence[Cell]], numbers: Sequence[int] = ()) -> Table:
    """A table with a heading a column (none: no line for them); the columns counted in `numbers` are set right."""
    shown = any(headings)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_header=shown)
    for at, heading in enumerate(headings):
        if at in numbers:
            table.add_column(Text(heading), justify="right", no_wrap=True)
        else:
            table.add_column(Text(heading), overflow="fold")
    for row in rows:
        table.add_row(*(make_text(cell) for cell in row))
    return table


def make_part(heading: str, *body: Cell) -> RenderableType:
    """A heading, and below it the body, set in; an empty line after it."""
    inner = [Padding(make_text(cell), (0, 0, 0, 2), expand=False) for cell in body]
    return Group(Text(heading, style="bold"), *inner, Text())


class Gauge:
    """A bar of `share` (0 to 1) of `width` characters: blocks, or `#` on a console without Unicode."""

    def __init__(self, share: float, width: int = 24, style: str = "cyan") -> None:
        self.share = min(max(share, 0.0), 1.0)
        self.width = width
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The filled part; anything above zero is seen."""
        filled = max(round(self.share * self.width), 1 if self.share else 0)
        mark = "#" if options.ascii_only or options.legacy_windows else "█"
        yield Segment(mark * filled + " " * (self.width - filled), console.get_style(self.style))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Always its width."""
        return Measurement(self.width, self.width)
