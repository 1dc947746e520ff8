"""What was tried against forgetting and degeneration, and what came of it. A part of `trials.json`.

Every remedy is foreseen from the select rows and a slice of probes first; only what is likely to ship is looked at on
the test rows and the verdict's probes. Scores, shares and differences are 0 to 1.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from tuneproof import figures
from tuneproof.messages import Language, tell
from tuneproof.records.verdict import Decision, Interval

RemedyName = Literal["first", "cure-scale", "cure-earlier", "cure-replay", "cure-rate"]
"""`first` is the run's own attempt, against which the remedies are held."""
Knob = bool | int | float | str | list[float] | None


class Remedy(BaseModel):
    """One remedy with its candidate. What was not measured is None."""

    name: RemedyName
    """Also the name of its folder below `trials/`, where it has one."""
    changes: dict[str, Knob] = {}
    """Config key -> value, where it differs from the run's own."""
    checkpoint: int | None = None
    """None: there was no candidate to try."""
    scale: float | None = None
    select_score: float | None = None
    select_gain: float | None = None
    """Select score minus the base's, on the same rows."""
    probes: int = 0
    """Probes of the slice that candidates answer."""
    slice_lost: int | None = None
    slice_gained: int | None = None
    lead: float | None = None
    """Chance that the verdict finds a lead over base and control."""
    kept: float | None = None
    """Chance that the verdict finds no more forgotten than it allows."""
    chance: float | None = None
    """Chance to ship: both, and 0 where the answers degenerate."""
    faults: list[str] = []
    """Degeneration gates that fail: of the verdict where it was looked at, else on the select rows."""
    look: int | None = None
    """1 for the first attempt, 2 for the first remedy that was measured on the test rows; None: it was not."""
    decision: Decision | None = None
    delta: float | None = None
    ci95: Interval | None = None
    lost: int | None = None
    gained: int | None = None
    net_loss: float | None = None
    keeps: bool | None = None
    """Whether it forgets little enough without degenerating: measured, else foreseen; None where that is open."""
    learns: bool | None = None
    """Whether its gain over base and control is shown; else foreseen."""
    failed: str | None = None
    """Why its training failed."""

    @property
    def worth(self) -> float:
        """The gain that can be expected to ship: chance times gain."""
        return (self.chance or 0.0) * max(0.0, self.select_gain or 0.0)

    def tell_name(self, language: Language | None = None) -> str:
        """What is done otherwise."""
        fraction, rate = self.changes.get("replay.fraction"), self.changes.get("train.learning_rate")
        values = {
            "replay": figures.format_percent(fraction if isinstance(fraction, float) else None, language),
            "rate": figures.format_decimal(rate if isinstance(rate, float) else None, language),
        }
        return tell(f"cure.name.{self.name}", language, **values)

    def told(self, language: Language | None = None) -> list[str]:
        """What was foreseen of it, and what was found."""
        if self.failed is not None:
            return [tell("cure.failed", language, why=self.failed)]
        if self.checkpoint is None or self.scale is None:
            return [tell(f"cure.none.{self.name}", language)]
        return [self._tell_foreseen(language), self._tell_found(language)]

    def _tell_foreseen(self, language: Language | None) -> str:
        place = {"step": self.checkpoint, "scale": f"{self.scale:g}"}
        score = figures.format_percent(self.select_score, language)
        chance = figures.format_percent(self.chance, language)
        if self.slice_lost is None:
            return tell("cure.foreseen_gain", language, **place, score=score, chance=chance)
        flips = {"lost": self.slice_lost, "gained": self.slice_gained, "probes": self.probes}
        return tell("cure.foreseen", language, **place, **flips, score=score, chance=chance)

    def _tell_found(self, language: Language | None) -> str:
        if self.look is None:
            return tell("cure.not_looked", language)
        return tell(
            "cure.found",
            language,
            look=tell(f"cure.look.{self.look}", language),
            decision=tell(f"report.decision.{self.decision}", language),
            gain=figures.format_points(self.delta, language),
            interval=figures.format_interval(self.ci95, language),
            lost=self.lost,
            gained=self.gained,
        )


class Cure(BaseModel):
    """The first attempt, the remedies in the order in which they were tried, and which of them stands."""

    first: Remedy
    remedies: list[Remedy] = []
    adopting: RemedyName | None = None
    """The remedy whose files are taking the place of the run's; set until all of them have."""
    adopted: RemedyName | None = None
    """The remedy that is the run's adapter; None: the first attempt still is."""
    reason: str | None = None
    """Key of the sentence that says how it ended; None while there is more to try."""

    @property
    def looks(self) -> int:
        """How often the test rows have been looked at, the first attempt included."""
        return 1 + sum(remedy.look is not None for remedy in self.remedies)

    def find(self, name: str) -> Remedy | None:
        """The remedy of this name."""
        return next((remedy for remedy in self.remedies if remedy.name == name), None)

    def note(self, remedy: Remedy) -> None:
        """Add a remedy; one of the same name gives way, in its place."""
        known = {one.name: one for one in self.remedies} | {remedy.name: remedy}
        self.remedies = list(known.values())

    def told(self, language: Language | None = None) -> list[str]:
        """How it ended, and why."""
        if self.reason is None:
            return []
        first = self.tell_adopted(language) if self.adopted else tell(self.reason, language)
        return [first, *([tell("cure.kept", language)] if self.remedies and not self.adopted else [])]

    def tell_adopted(self, language: Language | None = None) -> str:
        """Which remedy stands, and at which look at the test rows it was found."""
        remedy = self.find(self.adopted or "")
        assert remedy is not None
        look = tell(f"cure.look.{remedy.look}", language)
        decision = tell(f"report.decision.{self.first.decision}", language)
        return tell("cure.adopted", language, remedy=remedy.tell_name(language), look=look, decision=decision)
