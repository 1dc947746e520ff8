"""The Trainer subclass: the public `transformers.Trainer`, with our step, our checkpoints and no silent failure.

A batch of the data loader is one optimizer step: `batch_size` rows. Inside the step the rows are packed side by side
into as many forwards as memory needs, and the loss is normalised by the trained tokens of the whole step, so the
result does not depend on how it was cut, nor on how many ranks it was shared out to: each packs some of the rows, and
the gradients are summed. A loss or gradient that is not finite stops the run at that step, before the weights change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainingArguments

from tuneproof.errors import TrainingError
from tuneproof.model.chat import Encoded
from tuneproof.model.crew import join_crew
from tuneproof.model.decoder import RecordedDecoder
from tuneproof.model.step import OptimizerName, build_optimizer, build_pack, count_trained, get_base, sum_loss
from tuneproof.training.checkpoint import Checkpoints
from tuneproof.training.dataset import RowSet
from tuneproof.training.heap import keep_steps
from tuneproof.training.recording import Course, open_decoder
from tuneproof.training.recovery import Footing, Lighter, Shape, cut_rows, take_step


class StepReport(NamedTuple):
    """What one optimizer step did."""

    step: int
    loss: float
    """Mean over the step's trained tokens, in nats."""
    tokens: int
    trained_tokens: int


NOTHING = Encoded(ids=[0, 0], mask=[False, False])
"""A row without a trained token, for a rank that has fewer packs than another: loss and gradients are zero."""


class Rows:
    """A batch as the data loader hands it on; opaque, so that nothing tries to move it to a device."""

    def __init__(self, items: Sequence[tuple[int, Encoded]]) -> None:
        self.indices = [index for index, _ in items]
        self.encoded = [encoded for _, encoded in items]


def collate_rows(items: Sequence[tuple[int, Encoded]]) -> dict[str, Rows]:
    """The data loader's batch."""
    return {"rows": Rows(items)}


class PackedTrainer(Trainer):
    """Trains packed rows; see the module's docstring."""

    def __init__(
        self,
        model: nn.Module,
        args: TrainingArguments,
        *,
        rows: RowSet,
        shape: Shape,
        on_step: Callable[[StepReport], None],
        callbacks: list[TrainerCallback],
    ) -> None:
        super().__init__(model, args, train_dataset=rows, data_collator=collate_rows, callbacks=callbacks)
        self._trained, self.rows = model, rows
        self.shape = shape
        self.on_step = on_step
        self.on_lighter: Callable[[int, Lighter], None] = lambda step, change: None
        """Hears that a step ran out of memory and what was changed; see training/recovery.py."""
        self.on_recorded: Callable[..., None] = lambda **facts: None
        """Hears for which `lengths` passes were recorded when they are let go of; none, and `why`, where it failed."""
        self.optimizer_name: OptimizerName = "adamw"
        self.course = Course(args.per_device_train_batch_size, args.max_steps)
        self.batch = Rows([])
        self.crew = join_crew()
        self._recorded: tuple[Shape, RecordedDecoder | None] | None = None
        self.computed = 0
        """Rows that this rank has computed, a row once a pass."""
        self.checkpoints = Checkpoints(Path(str(args.output_dir)))

    @cached_property
    def weights(self) -> nn.ParameterList:
        """What is trained, as it is from the first step on. To look for it takes 5 ms in a model of 2,500 modules; a
        recorded step of a small model takes 25."""
        return nn.ParameterList(weight for weight in self._trained.parameters() if weight.requires_grad)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The optimizer of `model/step`, which the memory plan traces."""
        if self.optimizer is None:
            self.optimizer = build_optimizer(self._trained.parameters(), self.args.learning_rate, self.optimizer_name)
        return self.optimizer

    def train(self, *given: Any, **options: Any) -> Any:
        """Train, and let go of what was recorded and kept however that ends."""
        with keep_steps(self._trained, self.rows, self.shape, self.course):
            try:
                return super().train(*given, **options)
            finally:
                self.forget_recordings()

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: Tensor | int | None = None
    ) -> Tensor:
        """Forward and backward of one optimizer step; returns its mean loss, a detached scalar."""
        # Asked of the model inside: PEFT's around it is born in training.
        if not get_base(self._trained).training:
            model.train()
        self.batch = inputs["rows"]
        trained = count_trained(self.batch.encoded)
        mine = [self.batch.encoded[at] for at in self.crew.share([len(row.ids) for row in self.batch.encoded])]

        def attempt(shape: Shape) -> Tensor:
            total = torch.zeros((), device=self.args.device)
            decoder = self._open_decoder(shape)
            packs = [[mine[at] for at in chosen] for chosen in cut_rows(mine, shape)]
            if shape.in_step:
                packs += [[NOTHING]] * ((self.crew.agree(len(packs)) or 0) - len(packs))
            for rows in packs:
                pack = build_pack(rows, self.args.device)
                loss = (
                    sum_loss(model, pack, chunk=shape.loss_chunk, plain_head=shape.plain_head, decoder=decoder)
                    / trained
                )
                self.accelerator.backward(loss)
                total += loss.detach()
            return total

        total, self.shape = take_step(attempt, Footing(self._trained, mine, self.shape), self._note_lighter)
        total = self.crew.sum_step(total, list(self.weights.parameters()))
        self.computed += len(mine)
        mean = float(total)
        if not math.isfinite(mean):
            raise self.refuse_step("loss", mean, self.state.global_step + 1)
        tokens = sum(len(row.ids) for row in self.batch.encoded)
        self.on_step(StepReport(self.state.global_step + 1, mean, tokens, trained))
        return total

    def _open_decoder(self, shape: Shape) -> RecordedDecoder | None:
        """The decoder's passes as they are recorded for this shape, gradients at zero; None where they are not."""
        if self._recorded is None or self._recorded[0] != shape:
            # The old one first: its memory is as large.
            self._recorded = None
            self._recorded = shape, open_decoder(self._trained, self.rows, shape, self.course)
        decoder = self._recorded[1]
        if decoder is not None and not decoder.works:
            self.on_recorded(lengths=[], why=decoder.recorder.why)
            decoder = None
            self._recorded = shape, decoder
        if decoder is not None:
            decoder.begin()
        return decoder

    def forget_recordings(self, *, if_short: bool = False) -> None:
        """Let go of the memory that recorded passes hold between steps; with `if_short` on a card that is half full."""
        if self._recorded is None or self._recorded[1] is None:
            return
        free, total = torch.cuda.mem_get_info(self.args.device) if torch.cuda.is_available() else (1, 1)
        if not if_short or free < total / 2:
            self.on_recorded(lengths=sorted(self._recorded[1].recorded), why="")
            self._recorded = None

    def _note_lighter(self, change: Lighter) -> None:
        # Of the same shape too: activations may be recomputed from now on.
        self._recorded = None
        self.on_lighter(self.state.global_step + 1, change)

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        """Clip; the norm is known here, after the backward and before the weights change."""
        norm = super()._clip_grad_norm(self.weights)  # type: ignore[no-untyped-call]
        if norm is not None and not math.isfinite(float(norm)):
            raise self.refuse_step("gradient", float(norm), self.state.global_step + 1)
        return norm

    def refuse_step(self, what: str, value: float, step: int) -> TrainingError:
        """The error that tells what of this step is not finite, and names its rows."""
        rows = [self.train_dataset.rows[at] for at in self.batch.indices]  # type: ignore[union-attr]
        places = ", ".join(f"{row.file}:{row.line}" for row in rows)
        return TrainingError("train.not_finite", where=f"step {step}", what=what, value=value, rows=places)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Write into a staging folder, which is then published whole; the lead writes what all ranks have."""
        # The plan has promised the card's memory to who asks the model now.
        self.forget_recordings(if_short=True)
        if not self.crew.leads:
            return
        folder, keep = self.args.output_dir, self.args.save_total_limit
        with self.checkpoints.writing(self.state.global_step) as stage:
            self.args.output_dir, self.args.save_total_limit = str(stage), None
            try:
                super()._save_checkpoint(model, trial)
            finally:
                self.args.output_dir, self.args.save_total_limit = folder, keep
