"""Base models that are good first choices, and what they take on a device. `tuneproof models --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Fit = Literal["full", "nf4", "no"]


class BaseFit(BaseModel):
    """One base model against a memory limit. Bytes of a training step, the device's own part included."""

    name: str
    parameters: int
    languages: list[str]
    licence: str
    gated: bool
    full_bytes: int
    """Weights in the device's own type."""
    nf4_bytes: int | None
    """Weights in 4 bits; None on a device without a GPU."""
    fit: Fit
    reason: str
    """Key of the sentence that says why it is listed."""


class BaseChoices(BaseModel):
    """The list, for one device."""

    device: str
    dtype: str
    limit_bytes: int
    tokens: int
    """Tokens of the row that a step is computed for."""
    rank: int
    bases: list[BaseFit]
