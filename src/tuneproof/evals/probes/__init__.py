"""The retention probes: short questions that a base model can answer, to see after training what was lost.

Each family is a data file, `LANGUAGE/FAMILY.jsonl`, a probe a line, and every answer is judged by one small check
(`checks.py`), so that "lost" never rests on an opinion. At least a third of the probes ask for a format or follow an
instruction, judged on what the model generates: that ability goes first, while likelihood benchmarks hardly move
(IFEval -24.2 points, HellaSwag -0.8, in one and the same run: github.com/idanshen/Self-Distillation/issues/9).

    probes = load_probes("en")
    rights = [is_probe_right(probe, answer) for probe, answer in zip(probes, answers)]
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tuneproof.evals.probes.checks import CHECKS

__all__ = ["Probe", "is_probe_right", "load_probes"]


class Probe(BaseModel):
    """One question of the retention suite. A line of `LANGUAGE/FAMILY.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """`en-facts-001`: stable, so that runs of different versions can be compared probe by probe."""
    family: str
    language: str
    prompt: str = Field(min_length=1)
    check: str
    """Name of a function in `checks.py`."""
    accept: tuple[str, ...] = Field(min_length=1)
    """What the check compares with; its docstring says how."""
    max_new_tokens: int = Field(ge=4, le=40)

    @field_validator("check")
    @classmethod
    def _check_exists(cls, name: str) -> str:
        if name not in CHECKS:
            raise ValueError(f"no check is named {name!r}")
        return name


def load_probes(language: str = "en") -> list[Probe]:
    """Every probe of `language`, families in the order of their names, probes in the order of their files.

    Raises ValueError for a language without probes.
    """
    files = sorted((Path(__file__).parent / language).glob("*.jsonl"))
    if not files:
        raise ValueError(f"there are no retention probes for the language {language!r}")
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [Probe.model_validate_json(line) for line in lines]


def is_probe_right(probe: Probe, answer: str) -> bool:
    """True when the probe's check accepts `answer`, and it adds something to a prompt said back.

    Answers are text, never run.
    """
    asked, said = (re.findall(r"\w+", text.casefold()) for text in (probe.prompt, answer))
    if said[-len(asked) :] == asked:
        return False
    return CHECKS[probe.check](answer, probe.accept)
