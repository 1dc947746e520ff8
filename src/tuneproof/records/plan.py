"""Records of the plan: what fits, why, how long. `plan.json`. Bytes and seconds are plain numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Phases(BaseModel):
    """Peak bytes by phase."""

    load: int | None = None
    train: int | None = None
    evaluate: int | None = None


class Parts(BaseModel):
    """Bytes live at the peak moment, and what the device itself takes; their sum is the plan's peak."""

    weights: int = 0
    adapter: int = 0
    gradients: int = 0
    optimizer: int = 0
    activations: int = 0
    logits: int = 0
    temporaries: int = 0
    cache: int = 0
    context: int = 0

    def total(self) -> int:
        """Sum of all parts, in bytes."""
        return sum(self.model_dump().values())


class Settings(BaseModel):
    """What was chosen. The effective batch is `micro_batch * accumulation` rows."""

    micro_batch: int
    """Rows of the longest length that one packed forward may hold."""
    accumulation: int
    max_tokens: int
    """Longest row, in tokens; longer ones are cut or left out."""
    checkpointing: bool
    quantization: Literal["none", "nf4"]
    dtype: Literal["float32", "bfloat16", "float16"]
    packing: bool
    loss_chunk: int
    """Trained tokens whose logits live at one time."""
    optimizer: Literal["adamw"] = "adamw"
    offload: bool = False
    strategy: Literal["single"] = "single"
    answer_batch: int = 32
    """Answers made side by side when base and tuned are measured."""
    folded_answers: bool = False
    """Whether the adapter is folded into the weights while the tuned model answers: faster, for a copy of them."""


class Alternative(BaseModel):
    """What another choice would take."""

    change: str
    """As it is typed: `memory.checkpointing=true`."""
    peak_bytes: int


class Rejected(BaseModel):
    """A setting that was turned down, and why."""

    settings: Settings
    peak_bytes: int
    why: str
    """Key of the sentence."""


class TimePlan(BaseModel):
    """How the time budget is spent, from speeds measured at the start. Seconds; tokens a second."""

    limit: float | None
    """The user's budget for the whole run; without one nothing is cut."""
    spent: float
    """Seconds gone when the plan was made."""
    train_speed: float
    """All tokens a second of a training step."""
    generate_speed: float
    """New tokens a second of batched greedy generation."""
    parts: dict[str, float]
    """Stage -> seconds expected."""
    epochs: float
    candidates: int
    """Every checkpoint at every scale."""
    checkpoints: int = 1
    scales: int = 1
    select_rows: int
    slice_probes: int = 0
    """Probes that finalists answer."""
    test_rows: int
    retention_items: int
    few_shot_tries: int = 1
    """Numbers of examples tried for the control."""
    few_shot_rows: int = 0
    """Test rows that the few-shot control answers."""
    cut: list[str]
    """What was cut to end in time, in the order it was cut, as `epochs 3 -> 1.4`; empty when everything fits."""

    def seconds(self) -> float:
        """Expected wall time of the whole run."""
        return self.spent + sum(self.parts.values())


class Plan(BaseModel):
    """What fits, and what it will take."""

    model: str
    device: str
    limit_bytes: int
    fits: bool
    grade: Literal["fits", "tight", "no"]
    """`tight`: only by giving the device's cached memory back all the time (CUDA), which is slow."""
    peak_bytes: int
    phases: Phases
    parts: Parts
    settings: Settings
    steps: int
    seconds: float | None = None
    disk_bytes: int
    why: str = ""
    """Key of the sentence that says why these settings."""
    alternatives: list[Alternative] = []
    """What other choices would take; when nothing fits, the first one is the smallest change that would."""
    rejected: list[Rejected] = []
    method: Literal["trace", "formula"] = "trace"
    """How the peak was found: the traced step, or the closed formula where the model cannot be traced."""
    time: TimePlan | None = None
    measured_peak_bytes: int | None = None
    """Peak of the live tensor bytes (GPU) or of the process (CPU) in training, once it has run."""
