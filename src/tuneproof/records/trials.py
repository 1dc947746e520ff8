"""Runs inside a run, and what they show together. `trials.json`. Scores, shares and differences are 0 to 1.

A trial is a whole run folder in `RUN/trials/NAME/`; what stands here is read off it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tuneproof import figures
from tuneproof.messages import Language, tell
from tuneproof.records.cure import Cure, Knob
from tuneproof.records.search import Search
from tuneproof.records.verdict import Decision, Interval

Purpose = Literal["seed", "rows", "rate", "cure", "search"]


class TrialRecord(BaseModel):
    """One trial. What it did not measure is None: a trial of the learning rate never sees the test rows."""

    name: str
    """Its folder below `trials/`."""
    purpose: Purpose
    changes: dict[str, Knob]
    """Config key -> value, where it differs from the run's own."""
    share: float = 1.0
    """Share of the run's training rows."""
    rows: int | None = None
    """Training rows, replay not among them."""
    steps: int | None = None
    delta: float | None = None
    """Gain on the task over the base, on the run's own test rows."""
    ci95: Interval | None = None
    score: float | None = None
    """Tuned score on the test rows."""
    select_score: float | None = None
    lost: int | None = None
    gained: int | None = None
    net_loss: float | None = None
    decision: Decision | None = None
    seconds: float
    failed: str | None = None
    """Why its training failed."""


class SeedRun(BaseModel):
    """One seed: the run's own, or a trial's."""

    seed: int
    trial: str | None
    """None: the run itself."""
    delta: float | None
    ci95: Interval | None
    lost: int | None
    gained: int | None
    net_loss: float | None
    decision: Decision | None
    """None: its training failed."""


class Spread(BaseModel):
    """How far a number lies apart from seed to seed."""

    n: int
    mean: float
    low: float
    high: float
    deviation: float | None
    """Standard deviation; None of one."""


class SeedSpread(BaseModel):
    """The same run with other seeds: order of the rows and initial weights. No seed is ever chosen by this."""

    runs: list[SeedRun]
    delta: Spread | None
    net_loss: Spread | None
    agree: bool
    """Whether every seed has the run's own decision."""

    def told(self, language: Language | None = None) -> list[str]:
        """The range, and whether another seed would have changed the verdict."""
        lines = [self.tell_agreement(language)]
        if self.delta is not None and self.net_loss is not None:
            words = {
                "mean": figures.format_points(self.delta.mean, language),
                "low": figures.format_signed(self.delta.low, language),
                "high": figures.format_signed(self.delta.high, language),
                "lost_low": figures.format_percent(self.net_loss.low, language),
                "lost_high": figures.format_percent(self.net_loss.high, language),
            }
            lines.insert(0, tell("trials.seeds_range", language, n=self.delta.n, **words))
        return lines

    def tell_agreement(self, language: Language | None = None) -> str:
        """Whether another seed would have changed the verdict."""
        if self.agree:
            return tell("trials.seeds_agree", language)
        own, *others = self.runs
        said = [
            tell(
                "trials.seed_decision",
                language,
                decision=tell(f"report.decision.{run.decision}", language),
                seed=run.seed,
            )
            if run.decision
            else tell("trials.seed_failed", language, seed=run.seed)
            for run in others
            if run.decision != own.decision
        ]
        return tell("trials.seeds_disagree", language, decisions=tell("trials.between", language).join(said))


class CurveSpot(BaseModel):
    """The gain at a share of the training rows, on the same test rows."""

    share: float
    rows: int
    steps: int
    trial: str | None
    delta: float | None
    ci95: Interval | None
    lost: int | None = None
    gained: int | None = None


class LearningCurve(BaseModel):
    """Gain by number of rows, each with the same number of passes over them."""

    points: list[CurveSpot]
    last: float | None = None
    """Score points that the last doubling of the rows brought."""
    last_ci95: Interval | None = None
    next: float | None = None
    """What one more doubling would likely bring."""
    next_ci95: Interval | None = None
    tells: bool = False
    """Whether the interval of the last doubling leaves zero out; else nothing is said of the next."""

    def told(self, language: Language | None = None) -> list[str]:
        """What the last doubling of the rows brought, and what the next one would."""
        if self.last is None or self.next is None:
            return [tell("trials.curve_short", language)]

        def write(key: str, gain: float, ci95: Interval | None) -> str:
            points, interval = figures.format_points(gain, language), figures.format_interval(ci95, language)
            return tell(f"trials.curve_{key}", language, points=points, interval=interval)

        last = write("last", self.last, self.last_ci95)
        if not self.tells:
            return [last, tell("trials.curve_unclear", language)]
        return [last, write("next", self.next, self.next_ci95)]


class RateTried(BaseModel):
    """A short training at one learning rate, scored on the select rows and a slice of the probes."""

    rate: float
    trial: str | None = None
    steps: int | None = None
    n: int
    score: float | None = None
    standard_error: float | None = None
    """Of the paired difference from the best; None for the best itself."""
    probes: int
    lost: int | None = None
    gained: int | None = None
    faults: list[str] = []
    """Gates that it fails; `failed`: its training failed."""


class RateProbe(BaseModel):
    """The learning rate as it was, as it was chosen, and what was tried."""

    before: float
    chosen: float
    reason: str
    """Key of the sentence that says why."""
    tried: list[RateTried]

    def told(self, language: Language | None = None) -> list[str]:
        """What was taken, and why."""
        words = {name: figures.format_decimal(getattr(self, name), language) for name in ("chosen", "before")}
        return [tell("trials.rate_chosen", language, **words), tell(self.reason, language)]


class Trials(BaseModel):
    """All trials of a run, and what they show. `trials.json`."""

    trials: list[TrialRecord] = []
    seeds: SeedSpread | None = None
    curve: LearningCurve | None = None
    rate: RateProbe | None = None
    cure: Cure | None = None
    search: Search | None = None

    def find(self, name: str) -> TrialRecord | None:
        """The trial of this name."""
        return next((trial for trial in self.trials if trial.name == name), None)

    def note(self, record: TrialRecord) -> None:
        """Add a trial; one of the same name gives way."""
        self.trials = [*(trial for trial in self.trials if trial.name != record.name), record]
