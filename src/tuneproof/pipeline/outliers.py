"""What each answer costs the base model, with its question and without: for `data.outliers`, before any training.

report.findings += note_outliers(config, cases, Quiet())
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from tuneproof.config import RunConfig
from tuneproof.data.outlier import Loss, find_outliers
from tuneproof.data.traits import Cases
from tuneproof.errors import UsageError
from tuneproof.model.chat import Encoded, encode_row
from tuneproof.model.hardware import take_hardware
from tuneproof.model.load import Base, load_base
from tuneproof.model.step import build_pack, check_plain_head, sum_loss
from tuneproof.progress import Progress
from tuneproof.records import Finding, Message

CHUNK = 256
"""Tokens whose logits are held at a time."""


def note_outliers(config: RunConfig, cases: Cases, limit: int, progress: Progress) -> list[Finding]:
    """The answers that stand out by the base's loss. Rows above `limit` tokens are not looked at.

    Raises UsageError where no model is named.
    """
    if config.model.name is None:
        raise UsageError("data.outliers_model", where="data.outliers")
    hardware = take_hardware(config.model)
    base = load_base(
        config.model.name,
        device=hardware.device,
        dtype=config.model.dtype or hardware.dtype,
        revision=config.model.revision,
    )
    plain, losses = check_plain_head(base.model), list[Loss | None]()
    progress.begin("outliers", len(cases))
    for case in cases:
        losses.append(measure_loss(base, case.row.messages, limit, plain))
        progress.advance(len(losses))
    progress.end("outliers")
    return list(find_outliers(cases, losses))


@torch.no_grad()
def measure_loss(base: Base, messages: Sequence[Message], limit: int, plain_head: bool) -> Loss | None:
    """The loss of the last answer in nats; None for a row above `limit` tokens or without a token to predict."""
    asked = keep_last(encode_row(base.tokenizer, messages))
    blank = [Message(role="user", content=""), messages[-1]]
    alone = keep_last(encode_row(base.tokenizer, blank))
    if not any(asked.mask[1:]) or len(asked.ids) > limit:
        return None
    sums = [
        float(sum_loss(base.model, build_pack([row], base.model.device), chunk=CHUNK, plain_head=plain_head))
        for row in (asked, alone)
    ]
    return Loss(sum(asked.mask[1:]), *sums)


def keep_last(row: Encoded) -> Encoded:
    """The row with its last answer alone counted."""
    end = len(row.mask) - row.mask[::-1].index(True) if any(row.mask) else 0
    start = end - row.mask[:end][::-1].index(False) if False in row.mask[:end] else 0
    return Encoded(row.ids, [start <= at < end for at in range(len(row.mask))])
