"""A rehearsal of the heaviest step before anything is trained: does it fit, and how fast is it?

The longest rows are run forward and backward once (twice, the first warms up), without an optimizer step: the
weights, and with no dropout the random numbers, are as before. A wrong memory promise fails here and not after an
hour.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from tuneproof.model.chat import Encoded
from tuneproof.model.hardware import read_peak, reset_peak
from tuneproof.model.step import build_pack, count_trained, sum_loss
from tuneproof.training.dataset import RowSet
from tuneproof.training.trainer import Shape


class Rehearsal(NamedTuple):
    """What the heaviest step took."""

    speed: float
    """All tokens a second of forward and backward."""
    peak_bytes: int | None
    """Peak of the device's tensors (CUDA) or of the process (CPU)."""


def rehearse_step(model: Any, rows: RowSet, shape: Shape) -> Rehearsal:
    """Run the fullest pack of the longest rows twice; the second time is measured."""
    device = next(model.parameters()).device
    order = sorted(range(len(rows)), key=lambda at: -len(rows.encoded[at].ids))
    chosen: list[Encoded] = []
    tokens = 0
    for at in order:
        length = len(rows.encoded[at].ids)
        if chosen and (tokens + length > shape.pack_tokens or len(chosen) == shape.pack_rows):
            break
        chosen.append(rows.encoded[at])
        tokens += length
    pack = build_pack(chosen, device)
    model.train()
    reset_peak(device.type)
    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        loss = sum_loss(model, pack, chunk=shape.loss_chunk, plain_head=shape.plain_head)
        (loss / count_trained(chosen)).backward()
        loss.item()
        seconds = time.perf_counter() - started
        model.zero_grad(set_to_none=True)
    return Rehearsal(speed=tokens / seconds, peak_bytes=read_peak(device.type))
