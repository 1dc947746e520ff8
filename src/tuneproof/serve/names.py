"""Run folders -> the model names that may be asked for: `base`, each run's folder name, NAME@0.5 for an adapter scale.

Names are looked up in a list made at the start. Nothing of a request ever becomes a path.

    names = list_names([Path("runs/first"), Path("runs/second")])
    names.find("first@0.5")        # Side(name="first", scale=0.5, scales={0: 0.5})
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tuneproof.config import RunConfig
from tuneproof.config.load import load_settled
from tuneproof.errors import RunError, UsageError
from tuneproof.records import Message, RunRecord
from tuneproof.rundir import RunDir

BASE = "base"
PLAIN_NAME = re.compile(r"[^\W_][\w.-]{0,63}")
"""Letters of any script, digits, `_`, `.`, `-`."""
SCALE = re.compile(r"(?:0|1|2)(?:\.[0-9]{1,6})?")
LARGEST = 2.0
"""Largest scale: beyond it W + s (alpha/r) B A is no answer to any question about the adapter."""
WEIGHTS = "adapter_model.safetensors"


class ServedRun(NamedTuple):
    """A run whose adapter can be asked."""

    name: str
    run: RunDir
    config: RunConfig
    record: RunRecord


class Side(NamedTuple):
    """What answers: the base, or an adapter at a scale."""

    name: str
    scale: float
    scales: Mapping[int, float]
    """As `model/mixture` takes it; empty for the base, and for a scale of 0, which is the base."""


class Names:
    """The list."""

    def __init__(self, runs: Sequence[ServedRun]) -> None:
        self.runs = tuple(runs)
        self._places = {run.name: place for place, run in enumerate(runs)}

    def find(self, model: str) -> Side | None:
        """What a model name stands for; None where it is not on the list."""
        if model == BASE:
            return Side(BASE, 0.0, {})
        name, at, scale = model.partition("@")
        if name not in self._places or (at and not SCALE.fullmatch(scale)):
            return None
        strength = float(scale) if at else 1.0
        if strength > LARGEST:
            return None
        return Side(name, strength, {self._places[name]: strength} if strength else {})

    @property
    def fingerprint(self) -> str:
        """What answers depend on beside the request: base and template."""
        kept = self.runs[0].record.fingerprint
        return f"fp_{kept.get('base', '')[:8]}{kept.get('template', '')[:4]}"

    def prompt_of(self, side: Side) -> str | None:
        """The system prompt of a conversation that has none of its own: the one that the run was trained with.

        The base gets the one that all runs share, so that both sides of a comparison read the same.
        """
        prompts = {run.config.data.system_prompt for run in self.runs if side.name in (BASE, run.name)}
        return prompts.pop() if len(prompts) == 1 else None

    def complete(self, side: Side, messages: Sequence[Message]) -> list[Message]:
        """The conversation, opened by the system prompt where it has none."""
        prompt = self.prompt_of(side)
        if prompt is None or messages[0].role == "system":
            return list(messages)
        return [Message(role="system", content=prompt), *messages]


def list_names(paths: Sequence[Path]) -> Names:
    """The runs at `paths`, all on one base.

    Raises RunError where a folder holds no run or no adapter, UsageError where a name cannot be one or comes twice, or
    a run has another base than the first.
    """
    runs = [_open(path) for path in paths]
    for at, one in enumerate(runs):
        if one.name.lower() == BASE or not PLAIN_NAME.fullmatch(one.name):
            raise UsageError("serve.bad_name", where=str(one.run.path), name=one.name)
        if one.name in {other.name for other in runs[:at]}:
            raise UsageError("serve.same_name", where=str(one.run.path), name=one.name)
        for key in ("base", "template"):
            if one.record.fingerprint.get(key) != runs[0].record.fingerprint.get(key):
                raise UsageError(
                    "serve.other_base",
                    where=str(one.run.path),
                    base=one.config.model.name,
                    first=runs[0].config.model.name,
                    run=runs[0].name,
                )
    return Names(runs)


def _open(path: Path) -> ServedRun:
    run = RunDir(path)
    if not run.has(RunRecord):
        raise RunError("run.not_a_run", where=str(path))
    if not (run.adapter / WEIGHTS).is_file():
        raise RunError("run.missing", where=str(run.adapter / WEIGHTS), file=f"adapter/{WEIGHTS}")
    config = load_settled(run.config)
    return ServedRun(run.name, run, config, run.load(RunRecord))
