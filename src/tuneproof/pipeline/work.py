"""One run at work: its folder, its config, who listens, and the model, loaded once for all verbs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from transformers import set_seed

from tuneproof.config import RunConfig
from tuneproof.config.load import dump_config
from tuneproof.evals.scorers import ScorerName
from tuneproof.evals.task import Item, choose_limits, choose_scorers, make_row_items, spread_items
from tuneproof.model.drift import Reading
from tuneproof.model.encoding import measure_rows
from tuneproof.model.fold import fold_adapter
from tuneproof.model.hardware import Hardware, take_hardware
from tuneproof.model.load import (
    Base,
    add_adapter,
    enable_checkpointing,
    load_base,
    load_config,
    load_start,
    load_tokenizer,
    remove_adapter,
    set_adapter,
)
from tuneproof.model.offload import offload_layers
from tuneproof.model.packing import check_isolation
from tuneproof.model.recovery import release_memory
from tuneproof.model.split import split_layers
from tuneproof.model.step import check_plain_head
from tuneproof.model.store import AnswerStore, open_store
from tuneproof.progress import Progress
from tuneproof.records import Plan, Row, Split
from tuneproof.rundir import RunDir, write_atomic
from tuneproof.training.recovery import Shape

PROBE_LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")
"""Languages the retention probes exist in."""
OWN_ANSWER = 32
"""New tokens that an answer to one of the user's own probes may have at least: a base answers in its own words."""
Stance = tuple[Path, float] | None
"""Who answers: the adapter of a checkpoint at a scale, or the base."""


class Work:
    """A run folder being worked on in this process."""

    def __init__(self, run: RunDir, config: RunConfig, progress: Progress) -> None:
        self.run = run
        self.config = config
        self.progress = progress
        self.stance: Stance = None
        self.outer: Work | None = None  # The run that this is a trial of.
        self.split = False  # Whether the base is loaded to be split over the ranks; see `crew.hold_together`.
        self.on_checkpoint: Callable[[Work, int], None] = lambda work, step: None  # May ask the model.

    def save_config(self) -> None:
        """Write the config as it now is."""
        write_atomic(self.run.config, dump_config(self.config))

    @cached_property
    def hardware(self) -> Hardware:
        """The device; what is computed from now on has the run's number of threads."""
        return take_hardware(self.config.model)

    @cached_property
    def context(self) -> int | None:
        """Tokens that the base model can see at once; None where its config does not say."""
        return getattr(load_config(self._name, self.config.model.revision), "max_position_embeddings", None)

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
        settings, device = self.plan.settings, self.hardware.device
        base = load_base(
            self._name,
            device="cpu" if settings.offload or self.split else device,
            dtype=settings.dtype,
            quantization=settings.quantization,
            revision=self.config.model.revision,
        )
        self.progress.end("load")
        return base

    @cached_property
    def store(self) -> AnswerStore | None:
        """Answers of this base that earlier runs have made."""
        if not self.config.evaluate.remember:
            return None
        settings = self.plan.settings
        how = f"{self.hardware.device} {settings.dtype} {settings.quantization}"
        return open_store(self.base.model, self.base.path, how=how)

    @cached_property
    def model(self) -> Any:
        """The base with the adapter on it; `base_only` switches the adapter off."""
        lora = self.config.lora
        assert lora.rank is not None
        assert lora.alpha is not None
        base = self.base.model
        set_seed(self.config.train.seed)
        model = add_adapter(base, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout, targets=lora.targets)
        if self.config.train.start_from is not None:
            load_start(model, self.run.start, lora.alpha)
        if self.plan.settings.checkpointing:
            enable_checkpointing(base)
        if self.split:
            split_layers(model, self.hardware.device)
        elif self.plan.settings.offload:
            offload_layers(model, self.hardware.device)
        return model

    def drop_adapter(self) -> None:
        """Take the adapter off the base; the next one to be asked for is a fresh one, as at the start of a run."""
        model, self.stance = self.__dict__.pop("model", None), None
        if model is not None and not self.split:
            remove_adapter(model)

    def drop_base(self) -> None:
        """Let go of the weights; they are loaded when asked for. Uncollected, half would lie beside the next ones."""
        self.drop_adapter()
        self.__dict__.pop("base", None)
        release_memory()

    @contextmanager
    def lend_base(self, run: RunDir, config: RunConfig) -> Iterator[Work]:
        """Another run on the same loaded base, for a while: a base bears one adapter at a time."""
        self.drop_adapter()
        other = Work(run, config, self.progress)
        other.outer, other.hardware, other.tokenizer = self, self.hardware, self.tokenizer
        other.on_checkpoint = self.on_checkpoint
        if self.plan.settings.strategy == "fsdp":
            self.drop_base()  # It is loaded anew to be split, and would lie there beside that.
        else:
            other.base = self.base
        try:
            yield other
        finally:
            other.drop_base()

    @contextmanager
    def base_only(self) -> Iterator[Any]:
        """The model with the adapter switched off: bit-identical to the base (docs/evidence.md, `Reliability`)."""
        before, self.stance = self.stance, None
        try:
            with self.model.disable_adapter():
                yield self.model
        finally:
            self.stance = before

    def wear(self, checkpoint: Path, scale: float) -> None:
        """Put the adapter of a checkpoint on the base, at a scale."""
        set_adapter(self.model, checkpoint, scale)
        self.stance = (checkpoint, scale)

    def folded(self) -> AbstractContextManager[None]:
        """The adapter folded into the weights while the tuned model answers, where the plan says so."""
        return fold_adapter(self.model) if self.plan.settings.folded_answers else nullcontext()

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

    @property
    def lessons(self) -> list[Row]:
        """The training rows as a pass over them shows them: each as often as its file's weight says."""
        return [row for row in self.train_rows for _ in range(row.copies)]

    @property
    def rehearsals(self) -> list[Row]:
        """The replay rows as a pass shows them: several times where there are few."""
        return [row for row in self.run.load_rows("replay") for _ in range(row.copies)]

    @cached_property
    def scoring_rows(self) -> list[Row]:
        """Rows by which scorers and limits are chosen: in a trial with fewer training rows those of its parent."""
        return self.run.load_rows("scoring") if self.run.has_rows("scoring") else self.train_rows

    @cached_property
    def answer_lengths(self) -> dict[str, list[int]]:
        """Task -> tokens of each training answer."""
        return self._count_answers(self.scoring_rows)

    def _count_answers(self, rows: Sequence[Row]) -> dict[str, list[int]]:
        lengths = defaultdict(list)
        sizes = measure_rows(self.tokenizer, (row.messages for row in rows))
        for row, (_, trained) in zip(rows, sizes, strict=True):
            lengths[row.task].append(trained)
        return dict(lengths)

    @cached_property
    def limits(self) -> dict[str, int]:
        """Task -> new tokens at most, from the training answers."""
        return choose_limits(self.answer_lengths, self.config.evaluate.max_new_tokens)

    @cached_property
    def scorers(self) -> dict[str, ScorerName]:
        """Task -> scorer, from the training answers."""
        return choose_scorers(self.scoring_rows)

    def row_items(self, side: str, count: int | None) -> list[Item]:
        """Items of the select or test rows; `count` of them, spread over the tasks."""
        items = make_row_items(
            self.run.load_rows(side),
            scorers=self.scorers,
            limits=self.limits,
            clusters=self.clusters,
            named=self.config.evaluate.scorers,
        )
        return spread_items(items, count if count is not None else len(items))

    @cached_property
    def own_rows(self) -> list[Row]:
        """The user's own probes, as far as they can be asked."""
        return self.run.load_rows("probes") if self.config.evaluate.probes else []

    @cached_property
    def own_items(self) -> list[Item]:
        """Items of the user's own probes, each family judged by the scorer of its own references."""
        longest = self.config.evaluate.max_new_tokens
        limits = choose_limits(self._count_answers(self.own_rows), longest)
        limits = {task: max(limit, min(OWN_ANSWER, longest or OWN_ANSWER)) for task, limit in limits.items()}
        named = self.config.evaluate.scorers
        return make_row_items(self.own_rows, scorers={}, limits=limits, clusters={}, named=named)

    @property
    def languages(self) -> Sequence[Literal["en", "zh"]]:
        """Languages of probes and neutral texts: those the rehearsal found, or the user named."""
        return self.config.evaluate.languages or PROBE_LANGUAGES

    @property
    def _name(self) -> str:
        assert self.config.model.name is not None
        return self.config.model.name
