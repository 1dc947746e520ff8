"""The rows to blame: for each item what was asked and answered, and the rows that pushed that way; then all together.

In: records, the number of rows to show. Out: something rich can print. A row's file is shown without its folder; the
whole path is in `--json`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType

from tuneproof.cli.screens.frame import Cell, make_facts, make_part, make_table
from tuneproof.cli.words import clean_text, quote_line
from tuneproof.messages import tell
from tuneproof.records import Blame, BlamedRow

COLUMNS = ("rank", "place", "task", "score", "text")


def draw_blames(blames: Sequence[Blame], top: int) -> RenderableType:
    """The whole screen."""
    if not blames:
        return make_part(tell("blame.none_lost"))
    parts = [_draw_item(blame) for blame in blames]
    if len(blames) > 1:
        parts.append(_draw_together(blames, top))
    steps = ", ".join(map(str, blames[0].checkpoints))
    return Group(*parts, make_part(tell("blame.note", steps=steps)))


def _draw_item(blame: Blame) -> RenderableType:
    """One answer and its rows."""
    facts: list[tuple[str, Cell]] = [
        (tell("report.prompt"), quote_line(blame.prompt)),
        (tell("report.base"), quote_line(blame.base)),
        (tell("report.tuned"), quote_line(blame.tuned)),
    ]
    if not blame.right:
        facts.append((tell("blame.reference"), quote_line(blame.reference)))
    body: list[Cell] = [make_facts(facts)]
    if blame.rows:
        columns = [tell(f"blame.column.{name}") for name in COLUMNS]
        rows = [[str(rank), *_list_cells(row)] for rank, row in enumerate(blame.rows, start=1)]
        body += [tell("blame.meaning.right" if blame.right else "blame.meaning.wrong", n=blame.n)]
        body += [make_table(columns, rows, (0, 3)), _tell_spread(blame)]
    else:
        body.append(tell("report.blamed_none"))
    return make_part(tell("blame.item", id=clean_text(blame.id)), *body)


def _tell_spread(blame: Blame) -> str:
    """Whether the first row is more than the highest of many."""
    numbers = {"spread": f"{blame.spread or 0:.1f}", "noise": f"{blame.noise_spread or 0:.1f}", "n": blame.n}
    return tell("report.blamed_out", **numbers) if blame.stands_out else tell("report.blamed_flat", **numbers)


def _list_cells(row: BlamedRow) -> list[str]:
    text = f"{quote_line(row.prompt, 44)} -> {quote_line(row.answer, 32)}"
    task = tell("report.own_answer") if row.replay else quote_line(row.task, 20)
    return [clean_text(Path(row.place).name), task, f"{row.score:+.3f}", text]


def _draw_together(blames: Sequence[Blame], top: int) -> RenderableType:
    """The rows that stand high for several items: the first ones to look at."""
    rows = {row.id: row for blame in blames for row in blame.rows}
    counts = Counter(row.id for blame in blames for row in blame.rows)
    columns = [tell(f"blame.column.{name}") for name in ("items", "place", "task", "text")]
    cells = []
    for name, count in counts.most_common(top):
        place, task, _, text = _list_cells(rows[name])
        cells.append([str(count), place, task, text])
    return make_part(tell("blame.together", top=top, items=len(blames)), make_table(columns, cells, (0,)))
