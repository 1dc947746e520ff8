"""How far the tuned model's next-token distributions have moved from the base's, token by token.

The reference is the same model with its adapter switched off, which is the base bit for bit (taking it with an
untrained adapter on was wrong once in PEFT's own benchmark: huggingface/peft pull 3419). In: encoded rows, of which
the masked-in tokens count. Out: one `Drift` a row.

    drifts = measure_drift(model, rows, Reading(pack_tokens=1024, chunk=256, plain_head=True))
    sum(one.kl for one in drifts) / sum(one.tokens for one in drifts)      # nats a token
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tuneproof.model.chat import Encoded
from tuneproof.model.packing import pack_lengths
from tuneproof.model.step import Pack, build_pack, count_trained, get_base, read_hidden, read_logits


class Drift(NamedTuple):
    """Sums over one row's counted tokens, in nats."""

    tokens: int
    kl: float
    """KL(base || tuned): the direction that predicts forgetting best (RL's Razor, arXiv 2509.04259)."""
    base_loss: float
    tuned_loss: float
    """Negative log-likelihood of the row's own tokens."""


class Reading(NamedTuple):
    """How rows are read."""

    pack_tokens: int
    chunk: int
    """Tokens whose logits (fp32, of both models) are alive at a time."""
    plain_head: bool
    """See `model.step.check_plain_head`."""
    pack_rows: int | None = None
    """Rows of a pack at most: 1 where the model cannot keep packed rows apart."""


@torch.inference_mode()
def measure_drift(model: Any, rows: Sequence[Encoded], reading: Reading) -> list[Drift]:
    """Drift of each row, in the rows' order. `model` is a PEFT model with the adapter in question switched on."""
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    drifts = [Drift(0, 0.0, 0.0, 0.0)] * len(rows)
    try:
        for pack, parts in lay_packs(rows, reading, device):
            sums_N3 = _compare_arms(model, pack, reading)
            for at, part in parts.items():
                kl, base, tuned = sums_N3[part].sum(0).tolist()
                drifts[at] = Drift(part.stop - part.start, kl, base, tuned)
    finally:
        model.train(training)
    return drifts


def lay_packs(
    rows: Sequence[Encoded], reading: Reading, device: torch.device
) -> Iterator[tuple[Pack, dict[int, slice]]]:
    """Packs of all rows, each with its rows' places among them and which of the pack's N counted tokens are theirs."""
    for chosen in pack_lengths([len(row.ids) for row in rows], reading.pack_tokens, reading.pack_rows):
        parts, start = {}, 0
        for at in chosen:
            parts[at] = slice(start, start := start + count_trained([rows[at]]))
        yield build_pack([rows[at] for at in chosen], device), parts


def _compare_arms(model: Any, pack: Pack, reading: Reading) -> Tensor:
    """KL, loss of the base, loss of the tuned model at each counted token: shape (N, 3), fp64."""
    read = read_hidden if reading.plain_head else read_logits
    tuned = read(model, pack)
    with model.disable_adapter():
        base = read(model, pack)
    head_HV = get_base(model).get_output_embeddings().weight.t() if reading.plain_head else None
    parts = []
    for start in range(0, len(pack.target_N), reading.chunk):
        part = slice(start, start + reading.chunk)
        base_CV, tuned_CV = (
            torch.log_softmax((some[part] if head_HV is None else some[part] @ head_HV).float(), -1)
            for some in (base, tuned)
        )
        target_C1 = pack.target_N[part, None]
        losses = [-some.gather(1, target_C1)[:, 0] for some in (base_CV, tuned_CV)]
        kl_C = (base_CV.exp() * (base_CV - tuned_CV)).sum(-1)
        # Apple's cards know no float64.
        parts.append(torch.stack([kl_C, *losses], 1).cpu().double())
    return torch.cat(parts) if parts else torch.zeros(0, 3, dtype=torch.float64)
