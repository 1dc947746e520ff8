"""One run at work: its folder, its config, who listens, and the model, loaded once for all verbs.

Everything here is derived: from the config, the records in the folder, and the base model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal

import psutil
from transformers import set_seed

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.evals.probes import load_probes
from tuneproof.evals.task import Item, choose_limits, choose_scorers, make_probe_items, make_row_items, spread_items
from tuneproof.model.chat import encode_row
from tuneproof.model.drift import Reading
from tuneproof.model.hardware import Hardware, inspect_hardware
from tuneproof.model.load import Base, add_adapter, enable_checkpointing, load_base, load_tokenizer
from tuneproof.model.packing import check_isolation
from tuneproof.model.step import check_plain_head, count_trained
from tuneproof.progress import Progress
from tuneproof.records import Plan, Row, Split
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.training.trainer import Shape

PROBE_LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")
"""Languages the retention probes exist in."""


class Work:
    """A run folder being worked on in this process."""

    def __init__(self, run: RunDir, config: RunConfig, progress: Progress) -> None:
        self.run = run
        self.config = config
        self.progress = progress

    @staticmethod
    def spent() -> float:
        """Seconds since this process started, imports and conversions included."""
        return time.time() - psutil.Process().create_time()

    def save_config(self) -> None:
        """Write the config as it now is."""
        write_atomic(self.run.config, dump_config(self.config))

    @cached_property
    def hardware(self) -> Hardware:
        """The device."""
        return inspect_hardware(self.config.model.device)

    @cached_property
    def tokenizer(self) -> Any:
        """The base model's tokenizer."""
        return load_tokenizer(self._name, self.config.model.revision)

    @cached_property
    def plan(self) -> Plan:
        """The plan record; replaced by `plan_memory` when it is made in this process."""
        return self.run.load(Plan)

    @cached_property
    def base(self) -> Base:
        """The loaded base model."""
        self.progress.begin("load")
        settings = self.plan.settings
        base = load_base(
            self._name,
            device=self.hardware.device,
            dtype=settings.dtype,
            quantization=settings.quantization,
            revision=self.config.model.revision,
        )
        self.progress.end("load")
        return base

    @cached_property
    def model(self) -> Any:
        """The base with the adapter on it; `base_only` switches the adapter off."""
        lora = self.config.lora
        assert lora.rank is not None
        assert lora.alpha is not None
        base = self.base.model
        set_seed(self.config.train.seed)
        model = add_adapter(base, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout, targets=lora.targets)
        if self.plan.settings.checkpointing:
            enable_checkpointing(base)
        return model

    @contextmanager
    def base_only(self) -> Iterator[Any]:
        """The model with the adapter switched off: bit-identical to the base (docs/evidence.md, `Reliability`)."""
        with self.model.disable_adapter():
            yield self.model

    @cached_property
    def shape(self) -> Shape:
        """How a training step is cut, proven on the loaded model."""
        settings = self.plan.settings
        apart = check_isolation(self.model)
        if not apart:
            self.progress.say("train.no_packing")
        return Shape(
            pack_tokens=settings.micro_batch * settings.max_tokens,
            loss_chunk=settings.loss_chunk,
            plain_head=check_plain_head(self.model),
            pack_rows=None if apart else 1,
        )

    @property
    def reading(self) -> Reading:
        """How rows are read where nothing is trained."""
        shape = self.shape
        return Reading(shape.pack_tokens, shape.loss_chunk, shape.plain_head, shape.pack_rows)

    @cached_property
    def clusters(self) -> dict[str, str]:
        """Row id -> duplicate cluster."""
        return {row: place.cluster for row, place in self.run.load(Split).rows.items()}

    @cached_property
    def train_rows(self) -> list[Row]:
        """The training rows, replay not among them."""
        return self.run.load_rows("train")

    def limits(self) -> dict[str, int]:
        """Task -> new tokens at most, from the training answers."""
        lengths = [count_trained([encode_row(self.tokenizer, row.messages)]) for row in self.train_rows]
        return choose_limits([row.task for row in self.train_rows], lengths, self.config.evaluate.max_new_tokens)

    def row_items(self, side: str, count: int | None) -> list[Item]:
        """Items of the select or test rows; `count` of them, spread over the tasks."""
        scorers = choose_scorers(self.train_rows)
        items = make_row_items(self.run.load_rows(side), scorers=scorers, limits=self.limits(), clusters=self.clusters)
        return spread_items(items, count if count is not None else len(items))

    def probe_items(self) -> list[Item]:
        """Items of the retention probes; as many as the config says, and none that a candidate is chosen by."""
        chosen_by = {item.id for item in self.slice_items()}
        items = [item for item in self._all_probes if item.id not in chosen_by]
        wanted = self.config.evaluate.retention_items
        return spread_items(items, wanted if wanted is not None else len(items))

    def slice_items(self) -> list[Item]:
        """Items of the probes that candidates answer."""
        return spread_items(self._all_probes, self.config.evaluate.select_probes)

    @property
    def _all_probes(self) -> list[Item]:
        return make_probe_items([probe for language in self.languages for probe in load_probes(language)])

    @property
    def languages(self) -> Sequence[Literal["en", "zh"]]:
        """Languages of probes and neutral texts: those the rehearsal found, or the user named."""
        return self.config.evaluate.languages or PROBE_LANGUAGES

    def count(self) -> Callable[[int], None]:
        """A progress callback for stages that only count."""
        return lambda done: self.progress.advance(done)

    @property
    def _name(self) -> str:
        assert self.config.model.name is not None
        return self.config.model.name
