"""The user's own scorers: functions of an installed package, found by the entry point group `tuneproof.scorers`.

Only what the user has installed is run: a config names a scorer, never a file or a module, so that a run folder that
came from elsewhere cannot bring code along. In the package's pyproject.toml, and in a config:

    [project.entry-points."tuneproof.scorers"]              evaluate:
    dosage = "clinic.scorers:score_dosage"                    scorers: {prescriptions: dosage}

    def score_dosage(answer: str, reference: str, prompt: str) -> float: ...     # 0 to 1; 1 is right
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from numbers import Real

from tuneproof.errors import ScorerError

GROUP = "tuneproof.scorers"
SHOWN = 80
"""Characters of the answer that an error repeats."""

Scorer = Callable[[str, str, str], float]


def list_custom() -> dict[str, EntryPoint]:
    """Every installed scorer by its name."""
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def load_custom(name: str) -> Scorer:
    """The function behind a name. Raises ScorerError when it cannot be imported or is no function."""
    point = list_custom().get(name)
    if point is None:
        raise ScorerError("scorer.unknown", where="evaluate.scorers", name=name, known=", ".join(list_custom()) or "-")
    try:
        scorer: Scorer = point.load()
    except Exception as error:
        raise ScorerError("scorer.broken", where=point.value, name=name, why=_tell_error(error)) from error
    if not callable(scorer):
        raise ScorerError("scorer.broken", where=point.value, name=name, why=f"{type(scorer).__name__}: not callable")
    return scorer


def score_custom(name: str, answer: str, reference: str, prompt: str, *, place: str) -> float:
    """What the user's scorer says. Raises ScorerError, naming scorer and `place`, when it fails or leaves 0..1."""
    scorer = load_custom(name)
    shown = answer if len(answer) <= SHOWN else answer[:SHOWN] + "…"
    try:
        value = scorer(answer, reference, prompt)
    except Exception as error:
        raise ScorerError("scorer.raised", where=place, name=name, why=_tell_error(error), answer=shown) from error
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise ScorerError("scorer.outside", where=place, name=name, value=repr(value)[:SHOWN], answer=shown)
    return float(value)


def _tell_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
