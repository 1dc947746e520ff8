"""The loss-mask proof: one row, with the tokens that are trained marked so that it is seen without colour too.

In: the row's pieces in order, each trained or not; trained and all tokens of the data. Out: something rich can print.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from tuneproof.cli.figures import format_percent
from tuneproof.cli.words import clean_text
from tuneproof.messages import tell

LONGEST = 400
"""Characters of one stretch that are shown; the middle of a longer one is left out."""


def draw_mask(pieces: Sequence[tuple[str, bool]], trained: int, total: int) -> RenderableType:
    """A sentence, the row with `[[trained]]` stretches underlined, and the counts of the whole data."""
    row = Text()
    for is_trained, run in groupby(pieces, key=lambda piece: piece[1]):
        text = _shorten(clean_text("".join(piece for piece, _ in run)))
        if is_trained:
            row.append("[[").append(text, style="green underline").append("]]")
        else:
            row.append(text, style="dim")
    share = format_percent(trained / total if total else None)
    counts = tell("cli.mask.counts", trained=f"{trained:,}", total=f"{total:,}", share=share)
    return Group(Text(tell("cli.mask.title"), style="bold"), row, Text(counts), Text())


def _shorten(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST // 2]} [...] {text[-LONGEST // 2 :]}"
