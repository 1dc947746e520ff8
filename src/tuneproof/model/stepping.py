"""Reading a batch's newest tokens: launch by launch, or on a card as one recorded step.

A step is recorded for a cache at its place in memory, and writes each new token where a counter on the card says. It
looks at the whole room of the cache, of which a mask shows what a row has so far. So it is good until the cache moves
to larger buffers or loses rows, and then recorded anew: about the cost of two steps launched one by one, for up to
`ROOM` that are not.

    stepper = Stepper(model, pick)
    batch = stepper.read_on(batch)
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneproof.model.attention import ATTENTION
from tuneproof.model.batch import Batch, Picker, can_fill, read_next, read_on
from tuneproof.model.cache import RoomyLayer
from tuneproof.model.graph import Recorder, Recording
from tuneproof.model.step import get_base

STEPS = 8
"""Recorded steps that take about as long as what Python launches: reading prompts, or recording."""
FEWER = 4
"""Times as few rows for which a recorded step is worth recording anew."""


class Stepper:
    """Reads the newest token of each row of a batch, and picks the next one."""

    def __init__(self, model: nn.Module, pick: Picker) -> None:
        self.model, self.pick, self.recorder = model, pick, Recorder(model)
        self.attends = get_base(model).config._attn_implementation == ATTENTION
        """Whether the model's attention takes a mask of true and false: others would add it up."""
        self.step: FixedStep | None = None

    @property
    def change_cost(self) -> int:
        """Steps that it costs to let rows come or go."""
        return STEPS if self.step is not None else 1

    @property
    def drop_factor(self) -> int:
        """How many times as few rows are worth a batch of their own."""
        return FEWER if self.step is not None else 1

    def read_on(self, batch: Batch) -> Batch:
        """The batch after one more token of each row."""
        if self.recorder.works and self.attends and can_fill(batch.cache):
            layers = [cast(RoomyLayer, layer) for layer in batch.cache.layers]
            if layers[0].outgrows():
                # It holds the buffers that are moved from.
                self.forget()
            for layer in layers:
                layer.make_room()
            if self.step is None or not self.step.fits(batch):
                self.forget()
                self.step = FixedStep(self.model, batch, self.recorder)
            if read := self.step.read(batch, self.pick):
                return read
        self.forget()
        return read_on(self.model, batch, self.pick)

    def make_way(self, batch: Batch, longest: int) -> None:
        """Let go of the step where prompts so long will move the cache."""
        if self.step is not None and cast(RoomyLayer, batch.cache.layers[0]).end() < longest:
            self.forget()

    def forget(self) -> None:
        """Let go of what was recorded, and of the cache that it reads."""
        self.step = None


class ColumnLayer(DynamicLayer):
    """A roomy layer's buffers as a recorded step sees them: all columns, and the new token's place on the card."""

    def __init__(self, buffers: tuple[Tensor, Tensor], column_1: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.buffers, self.column_1 = buffers, column_1

    def get_seq_length(self) -> int:
        """Columns before the new token, as if it were the last: the mask says which are seen."""
        return self.buffers[0].shape[2] - 1

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write states of one new token of each row; returns all keys and values."""
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer.index_copy_(2, self.column_1, states)
        return self.buffers


class FixedStep:
    """One more token of each row of a batch, in memory that stays where it is."""

    def __init__(self, model: nn.Module, batch: Batch, recorder: Recorder) -> None:
        self.model, self.recorder = model, recorder
        self.recording: Recording | None = None
        self.layers = [cast(RoomyLayer, layer) for layer in batch.cache.layers]
        self.buffers = [layer.hold() for layer in self.layers]
        rows, room, device = len(batch.next_B), self.buffers[0][0].shape[2], batch.next_B.device
        self.ids_B1 = torch.zeros(rows, 1, dtype=torch.long, device=device)
        self.position_B1 = torch.zeros(rows, 1, dtype=torch.long, device=device)
        self.seen_BC = torch.zeros(rows, room, dtype=torch.bool, device=device)
        self.column_1 = torch.zeros(1, dtype=torch.long, device=device)
        self.logits_BV = torch.empty(0)
        self.cache = DynamicCache()
        self.cache.layers = [ColumnLayer(buffers, self.column_1) for buffers in self.buffers]
        self.last: tuple[Batch, int] | None = None
        """What the step before returned, and the column after its newest token."""

    def work(self) -> None:
        """What is recorded."""
        self.seen_BC.index_fill_(1, self.column_1, 1)
        seen_B11C = self.seen_BC[:, None, None]
        self.logits_BV = read_next(self.model, self.cache, self.ids_B1, seen_B11C, self.position_B1)
        self.position_B1 += 1
        self.column_1 += 1

    def fits(self, batch: Batch) -> bool:
        """Whether the step is one of this batch: of its cache, where that lies now."""
        layers = [cast(RoomyLayer, layer) for layer in batch.cache.layers]
        return all(layer.buffers is held for layer, held in zip(layers, self.buffers, strict=True))

    def read(self, batch: Batch, pick: Picker) -> Batch | None:
        """The batch after the step; None where it could not be recorded, and so was not taken."""
        start, end = self.layers[0].first, self.layers[0].end()
        if self.last is None or batch is not self.last[0] or end != self.last[1]:
            # A copy: it may be a view of what is cleared.
            seen_BT = batch.mask_BT.bool().clone()
            self.seen_BC.zero_()
            self.seen_BC[:, start:end] = seen_BT
            self.position_B1.copy_(batch.position_B1)
            self.column_1.fill_(end)
        self.ids_B1.copy_(batch.next_B[:, None])
        if not self.launch():
            return None
        for layer in self.layers:
            layer.grow()
        next_B = pick(self.logits_BV)
        # A view of what the next step changes in other columns, and the positions that it counts on.
        read = Batch(batch.cache, next_B, self.seen_BC[:, start : end + 1], self.position_B1)
        self.last = read, end + 1
        return read

    def launch(self) -> bool:
        """Take the step: the very first one kernel by kernel, to find out whether it can be recorded.

        False where it was not taken: what it may have written lies where the usual step writes, and memory for a
        recording is not worth fewer rows.
        """
        if not self.recorder.proven:
            return self.recorder.prove(self.work)
        try:
            self.recording = self.recording or self.recorder.record(self.work)
        except RuntimeError:
            self.recorder.works = False
        if self.recording is not None:
            self.recording.replay()
        return self.recording is not None
