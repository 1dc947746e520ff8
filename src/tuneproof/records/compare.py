"""Runs side by side. `tuneproof compare --json`. Scores, shares and differences are 0 to 1.

`first` is the run that all others are compared with, `other` the one that the record is about.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tuneproof.records.verdict import Interval

LeftOut = Literal["only_first", "only_other", "changed", "scorer"]
"""Why an item is not shared: the other run has not asked it, it reads differently there, it is scored differently."""


class ScoreDifference(BaseModel):
    """Two runs on the test items that both have answered: macro-average by task, other minus first."""

    n: int
    left_out: dict[LeftOut, int]
    first: float | None
    other: float | None
    delta: float | None
    ci95: Interval | None
    """Of this comparison alone, whatever the number of comparisons."""
    p_value: float | None
    p_adjusted: float | None
    """After Holm's correction over all comparisons; the p-value itself where there is one."""
    better: int
    worse: int
    same: int


class AnswerDifference(BaseModel):
    """Two runs on the retention probes that both have answered."""

    n: int
    left_out: dict[LeftOut, int]
    first_right: int
    other_right: int
    lost: int
    """Right in the first run, wrong in the other."""
    gained: int
    net_loss: float | None
    """(lost - gained) / n."""
    loss_upper95: float | None
    p_value: float | None
    """Exact McNemar; None where no answer was lost and none gained."""
    p_adjusted: float | None


class ArmDifference(BaseModel):
    """One arm of two runs: their tuned models, or their bases."""

    test: ScoreDifference
    retention: AnswerDifference


class RunComparison(BaseModel):
    """One run against the first."""

    run: str
    model: str | None
    """Its base model, as its config names it."""
    tuned: ArmDifference
    base: ArmDifference | None
    """Base against base; None where both runs stand on the same base."""


class Comparison(BaseModel):
    """Every further run against the first, each on the items that the two share."""

    first: str
    model: str | None
    correction: Literal["none", "holm"]
    """What the adjusted p-values carry."""
    runs: list[RunComparison]
