"""Config section `lora`: the adapter."""

from __future__ import annotations

from tuneproof.config.knob import Section, knob


class LoraSection(Section):
    """Size and place of the adapter."""

    rank: int | None = knob(None, "Rank.", "8 up to 300 rows, else 16: capacity for both is ample (rule 1).", ge=1)
    alpha: int | None = knob(
        None,
        "Strength; the update is scaled by alpha / rank.",
        "2 x the default rank; held when you change the rank (rule 2).",
        ge=1,
    )
    dropout: float = knob(0.0, "Dropout on the adapter's input.", "Weak evidence, costs time and memory.", ge=0, lt=1)
    targets: str | list[str] = knob(
        "all-linear", "Layers that get an adapter.", "Attention alone loses at equal size (rule 1); never the head."
    )
