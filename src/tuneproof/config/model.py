"""Config section `model`: which base model."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob

MODELSCOPE = "modelscope:"
"""Stands before the name of a model that lies on ModelScope."""


class ModelSection(Section):
    """The base model and where it runs."""

    name: str | None = knob(
        None, "Hub id, local folder, GGUF file, `modelscope:owner/name`, or `demo`.", "Every run needs one: --model."
    )
    revision: str | None = knob(None, "Commit or tag of a hub model.", "The hub's main branch.")
    device: Literal["auto", "cpu", "cuda", "mps"] = knob("auto", "Where to compute.", "A GPU where there is one.")
    threads: int | None = knob(
        None,
        "Threads to compute with, of each process.",
        "One a core, within what a container and OMP_NUM_THREADS allow; a resumed run has as many again.",
        ge=1,
    )
    dtype: Literal["float32", "bfloat16", "float16"] | None = knob(
        None, "Type of the base weights.", "The fastest that the device multiplies in hardware; adapters stay float32."
    )
