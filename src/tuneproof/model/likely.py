"""What the base finds likely at each trained token of a row, to be learnt in place of the one token that stands there.

Replay rows hold the base's own answers. Trained on their words alone, a model grows surer of them than the base was;
with the base's own distribution as the target it is at rest where it began (distillation: Hinton et al., arXiv
1503.02531; against forgetting: Li and Hoiem, arXiv 1606.09282). On the demo's rows fewer answers are other ones than
the base's at the same score of the task, but right ones are lost as often and gained more seldom (docs/measuring.md):
an option, not the default.

    rows = soften_rows(model, replay_rows, reading)         # Encoded, with `likely`
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tuneproof.model.chat import Encoded, Likely
from tuneproof.model.drift import Reading, lay_packs
from tuneproof.model.step import get_base, read_hidden, read_logits

KEPT = 32
"""Tokens kept at each place; the rest of the distribution is spread over them."""


@torch.inference_mode()
def soften_rows(model: Any, rows: Sequence[Encoded], reading: Reading) -> list[Encoded]:
    """The rows with the base's likeliest tokens at each trained one, in the rows' order. `model` is a PEFT model, whose
    adapter is switched off for it."""
    device = next(model.parameters()).device
    training, softened = model.training, list(rows)
    model.eval()
    try:
        with model.disable_adapter():
            head_HV = get_base(model).get_output_embeddings().weight.t() if reading.plain_head else None
            for pack, parts in lay_packs(rows, reading, device):
                states = (read_hidden if reading.plain_head else read_logits)(model, pack)
                found = _find_likely(states, head_HV, reading.chunk)
                for at, part in parts.items():
                    softened[at] = rows[at]._replace(likely=Likely(*(one[part].clone() for one in found)))
    finally:
        model.train(training)
    return softened


def _find_likely(states: torch.Tensor, head_HV: torch.Tensor | None, chunk: int) -> Likely:
    ids, shares = [], []
    for start in range(0, len(states), chunk):
        some = states[start : start + chunk]
        logits_CV = (some if head_HV is None else some @ head_HV).float()
        top = logits_CV.topk(min(KEPT, logits_CV.shape[1]), -1)
        ids.append(top.indices.cpu())
        shares.append(top.values.softmax(-1).cpu())
    return Likely(torch.cat(ids), torch.cat(shares))
