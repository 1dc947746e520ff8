"""Config section `train`: how long and how fast."""

from __future__ import annotations

from typing import Literal

from tuneproof.config.knob import Section, knob


class TrainSection(Section):
    """The training run."""

    epochs: float | None = knob(None, "Passes over the rows.", "10/8/5/3/2 for 100/300/1k/3k/10k rows (rule 6).", gt=0)
    max_steps: int | None = knob(None, "Stop after this many optimizer steps.", "Epochs decide.", ge=1)
    batch_size: int = knob(8, "Rows an optimizer step.", "LoRA bears large batches badly; 8-16 (rule 5).", ge=1)
    micro_batch: int | None = knob(None, "Rows in memory at a time.", "As many as fit.", ge=1)
    learning_rate: float | None = knob(
        None,
        "Peak learning rate.",
        "By hidden size, family and batch; 1e-3 at most (rule 3).",
        gt=0,
        le=3e-3,
    )
    optimizer: Literal["adamw", "adamw8bit"] | None = knob(
        None, "AdamW, with its state in 32 or in 8 bits.", "32 bits; 8 (CUDA, bitsandbytes) when nothing else fits."
    )
    kernels: Literal["torch", "liger"] = knob(
        "torch",
        "Whose kernels turn and gate in recorded steps.",
        "`liger` where liger-kernel is installed (CUDA, Triton).",
    )
    warmup: float = knob(0.05, "Share of steps to warm up in.", "3-10 % (rule 5); then linear to zero.", ge=0, lt=1)
    max_grad_norm: float = knob(1.0, "Gradient norm is clipped to this.", "0.3-1.0 (rule 5).", gt=0)
    save_steps: int | None = knob(None, "Steps between checkpoints.", "So that `evaluate.checkpoints` are made.", ge=1)
    loader_workers: int = knob(0, "Processes that hand out rows.", "Rows are tokenised before training.", ge=0, le=16)
    seed: int = knob(17, "Seed of split, order and initialisation.", "Any number; it is in the report.", ge=0)
    start_from: str | None = knob(None, "Run whose adapter this one goes on from.", "A fresh adapter; --from sets it.")
    time_limit: float | None = knob(
        None, "Seconds for the whole run, `trials` not among them.", "No limit; --time sets it.", gt=0
    )
