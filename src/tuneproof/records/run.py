"""The run's own record: what it is, how far it got. `run.json`, and `progress.json` while it goes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

Status = Literal["running", "stopped", "failed", "done"]


class StageRecord(BaseModel):
    """How one stage ended."""

    status: Status
    seconds: float


class TrainingRecord(BaseModel):
    """What training did. Seconds run from the first batch to the last step, saves included, select scoring not."""

    rows: int
    tokens: int
    trained_tokens: int
    steps: int
    seconds: float
    peak_bytes: int | None
    final_loss: float | None
    """Mean over the last step's trained tokens, in nats; None where events.jsonl is lost."""
    world_size: int = 1
    rows_per_rank: list[int]
    """Rows that each rank has computed since training was last gone on with, a row once a pass."""
    replay_rows: int = 0


class RunRecord(BaseModel):
    """Identity and progress of a run."""

    status: Status
    command: str
    fingerprint: dict[str, str]
    """Field -> hash: data, base, weights, template, config."""
    asked: dict[str, Any] | None = None
    """Config key -> value, as the run was asked for; None in runs that are older than this field."""
    versions: dict[str, str]
    device: str
    seed: int
    language: Literal["en", "zh"] = "en"
    created: float
    stages: dict[str, StageRecord] = {}
    training: TrainingRecord | None = None
    error: str | None = None


class Standing(BaseModel):
    """How far the stage at work is. `progress.json`; whether its process still lives is not told by it."""

    stage: str
    done: int = 0
    total: int | None = None
    """Units of work in all; None where it is not known."""
    begun: float
    """When it began, in seconds since 1970."""
    time: float
    """When this was written."""
