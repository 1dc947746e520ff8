"""Runs side by side: a table for the test rows, one for the retention probes, both again for bases that differ.

In: a comparison. Out: something rich can print. A row a run, each against the first; below, what the numbers rest on.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType

from tuneproof.cli.figures import format_interval, format_percent, format_signed
from tuneproof.cli.screens.frame import make_list, make_part, make_table
from tuneproof.cli.words import clean_text, name_of
from tuneproof.figures import format_p, to_plain
from tuneproof.messages import tell
from tuneproof.records import AnswerDifference, ArmDifference, Comparison

SCORE_COLUMNS = ("run", "n", "first", "score", "delta", "ci95", "p", "outcomes")
ANSWER_COLUMNS = ("run", "n", "first_right", "right", "lost", "gained", "net", "p")


def draw_comparison(comparison: Comparison) -> RenderableType:
    """The whole screen."""
    tuned = [(run.run, run.tuned) for run in comparison.runs]
    bases = [(run.run, run.base) for run in comparison.runs if run.base is not None]
    parts = [make_part(tell("compare.runs"), make_list(_list_runs(comparison)))]
    for arm, rows in (("tuned", tuned), ("base", bases)):
        if rows:
            parts.append(make_part(tell(f"compare.test.{arm}"), _draw_scores(rows)))
            parts.append(make_part(tell(f"compare.retention.{arm}"), _draw_answers(rows)))
    parts.append(make_part(tell("compare.shared"), make_list(_list_shared(tuned))))
    parts.append(make_part(tell("compare.reading"), make_list(_list_notes(comparison))))
    return Group(*parts)


def _list_runs(comparison: Comparison) -> list[str]:
    """Every run with its base, the first marked as what the others are held against."""
    runs = [(comparison.first, comparison.model), *((run.run, run.model) for run in comparison.runs)]
    lines = [clean_text(tell("compare.run_on", run=run, model=model or "?")) for run, model in runs]
    return [tell("compare.reference", run=lines[0]), *lines[1:]]


def _draw_scores(rows: Sequence[tuple[str, ArmDifference]]) -> RenderableType:
    """The score on the shared test rows."""
    cells = [
        [
            clean_text(run),
            str(arm.test.n),
            format_percent(arm.test.first),
            format_percent(arm.test.other),
            format_signed(arm.test.delta),
            format_interval(arm.test.ci95),
            to_plain(format_p(arm.test.p_adjusted)),
            f"{arm.test.better}/{arm.test.worse}/{arm.test.same}",
        ]
        for run, arm in rows
    ]
    return make_table([tell(f"compare.column.{name}") for name in SCORE_COLUMNS], cells, range(1, 8))


def _draw_answers(rows: Sequence[tuple[str, ArmDifference]]) -> RenderableType:
    """Right answers to the shared probes, lost and gained."""
    cells = [
        [
            clean_text(run),
            str(arm.retention.n),
            str(arm.retention.first_right),
            str(arm.retention.other_right),
            str(arm.retention.lost),
            str(arm.retention.gained),
            format_signed(_negate(arm.retention.net_loss)),
            _format_mcnemar(arm.retention),
        ]
        for run, arm in rows
    ]
    return make_table([tell(f"compare.column.{name}") for name in ANSWER_COLUMNS], cells, range(1, 8))


def _list_shared(rows: Sequence[tuple[str, ArmDifference]]) -> list[str]:
    """How many items each run shares with the first, and why the others are left out."""
    lines = []
    for run, arm in rows:
        for suite, n, left_out in (
            ("test", arm.test.n, arm.test.left_out),
            ("retention", arm.retention.n, arm.retention.left_out),
        ):
            why = tell("compare.between").join(
                tell(f"compare.left_out.{reason}", n=count) for reason, count in left_out.items()
            )
            words = {"run": run, "n": n, "suite": name_of("cli.suite", suite)}
            key = "compare.shared_some" if left_out else "compare.shared_all"
            lines.append(clean_text(tell(key, **words, why=why)))
    return lines


def _list_notes(comparison: Comparison) -> list[str]:
    """What the numbers are: units, interval, correction."""
    notes = [tell("compare.note.units")]
    if comparison.correction == "holm":
        notes.append(tell("compare.note.holm"))
    return notes


def _format_mcnemar(retention: AnswerDifference) -> str:
    """The p-value; a hyphen where probes were asked and none came out differently: there is nothing to test."""
    if retention.n and retention.p_adjusted is None:
        return "-"
    return to_plain(format_p(retention.p_adjusted))


def _negate(share: float | None) -> float | None:
    """A net loss as a change: what is lost has a minus."""
    return None if share is None else -share
