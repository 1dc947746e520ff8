"""A run that forgets too much, on a tiny model, and scripts of what its remedies come to.

Trainings, answers and folders are real. What a random model cannot give, a gain that ships, is scripted: the verdicts
in the order in which they are asked for, and the chances that are foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tuneproof.evals.select import choose_candidate
from tuneproof.evals.verdict import judge_run
from tuneproof.records import Cure, Selection, Trials, Verdict
from tuneproof.records.verdict import Decision
from tuneproof.rundir import RunDir

FORGETS = ("dont_ship", ["gain_real", "beats_control", "loss_significant"])
SHIPS = ("ship", ["gain_real", "beats_control", "loss_small"])
UNREAL = ("dont_ship", ["gain_unclear", "beats_control", "loss_significant"])
Scripted = tuple[Decision, list[str]]


class Script:
    """What verdicts and foreseen chances come to."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.verdicts: list[Any] = []
        self.lead, self.kept = 1.0, 1.0
        patch.setattr("tuneproof.pipeline.verbs.judge_run", self._judge)
        patch.setattr("tuneproof.pipeline.verbs.choose_candidate", self._choose)
        patch.setattr("tuneproof.evals.select.foresee_lead", lambda *_: self.lead)
        patch.setattr("tuneproof.evals.select.foresee_kept", lambda *_: self.kept)

    def _judge(self, *given: Any, **named: Any) -> Verdict:
        decision, reasons = self.verdicts.pop(0)
        return judge_run(*given, **named).model_copy(update={"decision": decision, "reasons": reasons})

    @staticmethod
    def _choose(steps: Sequence[int], *given: Any) -> Selection:
        """The last checkpoint at full strength, so that there is something smaller and something earlier."""
        chosen = choose_candidate(steps, *given)
        return chosen.model_copy(update={"checkpoint": max(steps), "scale": 1.0})


def read_cure(run: RunDir) -> Cure:
    told = run.load(Trials).cure
    assert told is not None
    return told


def snapshot(run: RunDir) -> dict[str, bytes]:
    """Everything that a run hands on, by its place; not its log, its locks, and what bears times."""
    left_out = {"events.jsonl", ".lock", ".owner", "progress.json", "run.json", "report.html"}
    return {
        str(path.relative_to(run.path)): path.read_bytes()
        for path in sorted(run.path.rglob("*"))
        if path.is_file() and path.name not in left_out and "trials" not in path.relative_to(run.path).parts
    }
