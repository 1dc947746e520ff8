"""Config section `memory`: the limit, and what is done to stay below it."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob


class MemorySection(Section):
    """Memory plan."""

    limit: int | None = knob(None, "Bytes that may be used.", "90 % of what the device has free (rule 23).", gt=0)
    checkpointing: bool | None = knob(None, "Recompute activations.", "Only when it does not fit without.")
    quantization: Literal["none", "int8", "nf4"] | None = knob(
        None, "8-bit or 4-bit base weights.", "4 bits, and only when it does not fit without (rule 24)."
    )
    offload: bool | None = knob(
        None,
        "Keep frozen layers in the computer's own memory, streamed to the GPU as they are needed.",
        "Only when nothing else fits: every step waits for the bus.",
    )
    split: bool | None = knob(
        None,
        "Split frozen layers over the processes of `--gpus` in training (FSDP2).",
        "Only when the whole model does not fit on each of them.",
    )
    loss_chunk: int | None = knob(
        None,
        "Trained tokens whose logits live at a time.",
        "256, 239 MiB at 152k words (rule 24); 64 if need be.",
        ge=1,
    )
