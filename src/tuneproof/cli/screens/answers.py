"""Base and tuned, suite by suite: how many right, with interval and n.

In: a run folder with kept answers. Out: something rich can print, and the same as plain data.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.console import Group, RenderableType

from tuneproof.cli.figures import format_percent, format_range
from tuneproof.cli.screens.frame import make_part, make_table
from tuneproof.cli.words import name_of
from tuneproof.messages import tell
from tuneproof.rundir import RunDir

SUITES = ("test", "retention")


class Tally(NamedTuple):
    """How one arm did on one suite."""

    suite: str
    arm: str
    n: int
    right: int
    score: float | None
    """Mean score, 0 to 1; None without items."""
    ci95: tuple[float, float] | None
    """Wilson's interval of the share of right answers."""
    cut: int
    """Answers that were cut at the length limit, or because they only repeated themselves."""


def tally_answers(run: RunDir) -> list[Tally]:
    """A tally for each arm on each suite. Raises RunError when answers are missing or damaged."""
    from tuneproof.statistics import wilson_interval

    tallies = []
    for suite in SUITES:
        for arm in ("base", "tuned"):
            answers = run.load_answers(arm, suite)
            n, right = len(answers), sum(answer.right for answer in answers)
            score = sum(answer.score for answer in answers) / n if n else None
            cut = sum(answer.finish != "end" for answer in answers)
            tallies.append(Tally(suite, arm, n, right, score, wilson_interval(right, n), cut))
    return tallies


def draw_tallies(tallies: list[Tally]) -> RenderableType:
    """A row a suite and arm."""
    rows = [
        [
            name_of("cli.suite", one.suite),
            name_of("report.arm", one.arm),
            str(one.n),
            format_percent(one.score),
            format_percent(one.right / one.n if one.n else None),
            format_range(one.ci95),
            str(one.cut),
        ]
        for one in tallies
    ]
    columns = ("suite", "arm", "n", "score", "right", "ci95", "cut")
    table = make_table([tell(f"cli.eval.{name}") for name in columns], rows, (2, 3, 4, 5, 6))
    return Group(make_part(tell("cli.eval.headline"), table))
