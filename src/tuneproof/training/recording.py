"""Which trainings have the passes of their packs recorded (model/decoder), and with how much room.

decoder = open_decoder(model, rows, shape, Course(batch_size=8, steps=400, kernels="torch"))
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from torch import nn

from tuneproof.errors import ModelError
from tuneproof.model.decoder import RecordedDecoder, Room
from tuneproof.model.liger import load_kernels
from tuneproof.model.load import is_recomputing
from tuneproof.model.step import get_base
from tuneproof.training.dataset import RowSet
from tuneproof.training.recovery import Shape

KernelsName = Literal["torch", "liger"]


class Course(NamedTuple):
    """What a training is to do."""

    batch_size: int
    steps: int
    kernels: KernelsName = "torch"


def open_decoder(model: Any, rows: RowSet, shape: Shape, course: Course) -> RecordedDecoder | None:
    """The model's decoder, to be recorded for packs of these rows; None where it is not to be, or cannot be.

    Raises ModelError where Liger's kernels are asked for and not installed.
    """
    if course.kernels == "liger" and load_kernels() is None:
        raise ModelError("model.no_liger", where="train.kernels")
    if not can_record(model, shape):
        return None
    decoder = RecordedDecoder(model, find_room(rows, shape, course))
    decoder.fused = course.kernels == "liger"
    return decoder if decoder.works else None


def can_record(model: Any, shape: Shape) -> bool:
    """Whether packs of this shape may be recorded, as far as the card is not asked.

    Not where activations are recomputed: that is for cards that are slower than Python anyway. Not where numbers are
    drawn, which a resumed run would draw otherwise.
    """
    draws = any(isinstance(module, nn.Dropout) and module.p > 0 for module in model.modules())
    return shape.plain_head and not (shape.in_step or draws or is_recomputing(get_base(model)))


def find_room(rows: RowSet, shape: Shape, course: Course) -> Room:
    """What packs have at most: a row that is longer than a pack is to be has one of its own."""
    lengths = [len(row.ids) for row in rows.encoded]
    batch, longest = min(course.batch_size, len(lengths)), rows.longest
    tokens = max(longest, min(shape.pack_tokens, sum(sorted(lengths)[-batch:])))
    packs = course.steps * -(-batch * sum(lengths) // (len(lengths) * shape.pack_tokens))
    return Room(tokens, min(batch, shape.pack_rows or batch), longest, packs)
