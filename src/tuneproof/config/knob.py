"""One knob: its default, its bounds, one line of help, and the reason for the default, declared in one place."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of the config: unknown keys are refused, values are finite and strict (no `"8"` for 8)."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_default=True, allow_inf_nan=False)


def knob(default: Any, help: str, reason: str, **bounds: Any) -> Any:
    """A field with its help and the reason for its default. `None` means: decided when the run is planned."""
    return Field(default, description=help, json_schema_extra={"reason": reason}, **bounds)
