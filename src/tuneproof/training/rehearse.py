"""A rehearsal of the heaviest step before anything is trained: does it fit, and how fast is it?

The longest rows are run forward and backward once (twice, the first warms up), without an optimizer step: the
weights, and with no dropout the random numbers, are as before. A wrong memory promise fails here and not after an
hour.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from tuneproof.model.chat import Encoded
from tuneproof.model.decoder import RecordedDecoder
from tuneproof.model.hardware import read_peak, reset_peak
from tuneproof.model.step import build_pack, count_trained, sum_loss
from tuneproof.training.dataset import RowSet
from tuneproof.training.heap import keep_steps
from tuneproof.training.recording import Course, open_decoder
from tuneproof.training.recovery import Shape, cut_rows


class Rehearsal(NamedTuple):
    """What the heaviest step took."""

    speed: float
    """All tokens a second of a typical step's forward and backward."""
    peak_bytes: int | None
    """Peak of the device's tensors (CUDA) or of the process (CPU) in the heaviest step."""


def rehearse_step(model: Any, rows: RowSet, shape: Shape, course: Course) -> Rehearsal:
    """Run the fullest pack of the longest rows for its memory, then a batch of typical rows for its speed.

    Recorded where the training will be: the first time is the recording's, of the others the shorter one counts.
    """
    device = next(model.parameters()).device.type
    order = sorted(range(len(rows)), key=lambda at: -len(rows.encoded[at].ids))
    heaviest: list[Encoded] = []
    for at in order[: shape.pack_rows or len(order)]:
        if heaviest and sum(len(row.ids) for row in [*heaviest, rows.encoded[at]]) > shape.pack_tokens:
            break
        heaviest.append(rows.encoded[at])
    model.train()
    decoder = open_decoder(model, rows, shape, course)
    every = max(1, len(order) // course.batch_size)
    typical = [rows.encoded[at] for at in order[every // 2 :: every]][: course.batch_size]
    packs = [[typical[at] for at in pack] for pack in cut_rows(typical, shape)]
    reset_peak(device)
    with keep_steps(model, rows, shape, course):
        _run(model, [heaviest], shape, decoder)
        peak = read_peak(device)
        seconds = min(_run(model, packs, shape, decoder) for _ in range(2))
    return Rehearsal(speed=sum(len(row.ids) for row in typical) / seconds, peak_bytes=peak)


def _run(model: Any, packs: list[list[Encoded]], shape: Shape, decoder: RecordedDecoder | None) -> float:
    """Seconds of forward and backward of packs; the gradients are dropped."""
    device = next(model.parameters()).device
    started = time.perf_counter()
    if decoder is not None:
        decoder.begin()
    for rows in packs:
        pack = build_pack(rows, device)
        loss = sum_loss(model, pack, chunk=shape.loss_chunk, plain_head=shape.plain_head, decoder=decoder)
        (loss / count_trained(rows)).backward()
        # Reading the value waits for the device.
        loss.item()
    model.zero_grad(set_to_none=True)
    return time.perf_counter() - started
