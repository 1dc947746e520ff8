"""Runs side by side, from what lies in their folders: no weights, no data file, no network.

In: paths of run folders, the first of them the reference. Out: a `Comparison`.

    compare_folders([Path("runs/first"), Path("runs/second")]).runs[0].tuned.test.delta
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tuneproof.config.load import load_settled
from tuneproof.errors import RunError, UsageError
from tuneproof.evals.compare import Arm, compare_arms, correct_runs
from tuneproof.pipeline import open_run
from tuneproof.records import ArmDifference, Comparison, RunComparison, RunRecord
from tuneproof.rundir import RunDir


class Side(NamedTuple):
    """A run to be compared."""

    run: RunDir
    model: str | None
    base: str | None
    """Fingerprint of its base model."""


def compare_folders(paths: Sequence[Path]) -> Comparison:
    """Every further run against the first.

    Raises UsageError for fewer than two runs, RunError for a folder that is no run, answers that are missing or
    damaged, and two runs that share no test item.
    """
    if len(paths) < 2:
        raise UsageError("compare.one_run", where=str(paths[0]) if paths else None)
    first, *others = [open_side(path) for path in paths]
    runs = [compare_sides(first, other) for other in others]
    correct_runs(runs)
    return Comparison(
        first=str(first.run.path), model=first.model, correction="holm" if len(runs) > 1 else "none", runs=runs
    )


def open_side(path: Path) -> Side:
    """The run at `path`, with what tells whether its base is another's."""
    run = open_run(path)
    config = load_settled(run.config)
    return Side(run, config.model.name, run.load(RunRecord).fingerprint.get("base"))


def compare_sides(first: Side, other: Side) -> RunComparison:
    """The tuned models, and the bases where they differ."""
    tuned = compare_arm(first.run, other.run, "tuned")
    base = compare_arm(first.run, other.run, "base") if first.base != other.base else None
    return RunComparison(run=str(other.run.path), model=other.model, tuned=tuned, base=base)


def compare_arm(first: RunDir, other: RunDir, arm: str) -> ArmDifference:
    """One arm of both runs. Raises RunError, naming both, when they share no test item."""
    difference = compare_arms(load_arm(first, arm), load_arm(other, arm))
    if difference.test.n == 0:
        raise RunError("compare.nothing_shared", where=f"{first.path}, {other.path}")
    return difference


def load_arm(run: RunDir, arm: str) -> Arm:
    """The kept answers of one arm. Raises RunError."""
    return Arm(run.load_answers(arm, "test"), run.load_answers(arm, "retention"))
