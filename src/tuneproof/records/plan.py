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
    quantization: Literal["none", "int8", "nf4"]
    dtype: Literal["float32", "bfloat16", "float16"]
    packing: bool
    loss_chunk: int
    """Trained tokens whose logits live at one time."""
    optimizer: Literal["adamw", "adamw8bit"] = "adamw"
    offload: bool = False
    strategy: Literal["single", "ddp", "fsdp"] = "single"
    """On several ranks: the whole model on each, or its layers split over them in training (FSDP2)."""
    ranks: int = 1
    """Processes that the plan is for, each with so much memory."""
    answer_batch: int = 32
    """Answers made side by side when base and tuned are measured."""
    answer_tokens: int = 0
    """Tokens, of prompts and answers together, that answers side by side may hold; longer ones go fewer at a time."""
    folded_answers: bool = False
    """Whether the adapter is folded into the weights while the tuned model answers: faster, for a copy of them."""


class Alternative(BaseModel):
    """What another choice would take."""

    change: str
    """As it is typed: `memory.checkpointing=true`."""
    peak_bytes: int


class MoreMemory(BaseModel):
    """What another gigabyte would buy."""

    limit_bytes: int
    peak_bytes: int
    settings: Settings
    faster: float
    """Time of a training step over the one with that much memory; 1 where it would buy no speed."""


class SmallerModel(BaseModel):
    """A model of the same family that would fit where the one asked for does not."""

    name: str
    peak_bytes: int
    settings: Settings


class Card(BaseModel):
    """What a device of another size would do with the same model and rows."""

    limit_bytes: int
    fits: bool
    grade: Literal["fits", "tight", "no"]
    peak_bytes: int
    settings: Settings
    """Where it does not fit: those that take least."""


class Measured(BaseModel):
    """Peaks as they were, in bytes that can be held against `phases`; None where the system does not tell."""

    load: int | None = None
    rehearsal: int | None = None
    """The heaviest step, before training."""
    first_step: int | None = None
    train: int | None = None
    evaluate: int | None = None


class Recovery(BaseModel):
    """Memory ran out all the same, and what was done: never silently."""

    where: Literal["rehearse", "train", "evaluate"]
    step: int | None = None
    """The optimizer step that was taken again from its beginning."""
    lever: str
    """The config key that was changed: `train.micro_batch`."""
    before: int
    after: int


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
    drift_items: int = 0
    """Items of each suite that the drift is measured on; 0 in plans that are older than this field."""
    cut: list[str]
    """What was cut to end in time, in the order it was cut, as `epochs 3 -> 1.4`; empty when everything fits."""

    estimated: bool = False
    """Whether speeds are estimates, and not measured at the start of this very run."""
    speeds: Literal["measured", "remembered", "probed"] = "measured"
    """Where they are from: this run, earlier ones on this device, or a probe of a few products."""

    def seconds(self) -> float:
        """Expected wall time of the whole run."""
        return self.spent + sum(self.parts.values())

    def miss(self, real: dict[str, float]) -> float | None:
        """By which share the planned seconds of the stages that have run were off; None before most of them have."""
        done = [name for name, planned in self.parts.items() if planned and name in real]
        planned = sum(self.parts[name] for name in done)
        spent = sum(real[name] for name in done)
        whole = planned >= 0.9 * sum(self.parts.values())
        return planned / spent - 1 if whole and spent else None


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
    host_bytes: int = 0
    """Of the computer's own memory, for frozen layers that are streamed to the device."""
    why: str = ""
    """Key of the sentence that says why these settings."""
    alternatives: list[Alternative] = []
    """What other choices would take; when nothing fits, the first one is the smallest change that would."""
    rejected: list[Rejected] = []
    method: Literal["trace", "formula"] = "trace"
    """How the peak was found: the traced step, or the closed formula where the model cannot be traced."""
    time: TimePlan | None = None
    dimensions: Literal["config", "table"] = "config"
    """Where the model's sizes are from: its own config.json, or the built-in table."""
    lengths: Literal["counted", "estimated"] = "counted"
    """Whether rows were counted by the model's tokenizer, or estimated from their characters."""
    more_memory: MoreMemory | None = None
    smaller_models: list[SmallerModel] = []
    """Where nothing fits: smaller models of the family that would, the largest first."""
    cards: list[Card] = []
    """Other sizes of device, where they were asked for (`plan --cards`)."""
    measured: Measured = Measured()
    recoveries: list[Recovery] = []
    measured_peak_bytes: int | None = None
    """Peak of the live tensor bytes (GPU) or of the process (CPU) in training, once it has run."""
