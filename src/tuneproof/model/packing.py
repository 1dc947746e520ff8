"""Rows side by side in one sequence, none seeing another: no padding is computed.

Two pieces. `pack_lengths` puts rows into packs of bounded length. `ATTENTION` is an attention function registered with
transformers' own interface (nothing is patched): given `segments` (the rows' lengths) it attends row by row, so the
masked-off blocks of the packed square are never computed; without `segments` it is plain sdpa, as generation needs it.

Position ids alone keep rows apart only while no attention mask is given and the cache is off (transformers 5; measured:
with a mask of ones rows see each other without a warning), so `check_isolation` proves it on the loaded model.

    for pack in pack_lengths([30, 90, 20], budget=120): ...      # [[1, 0], [2]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

ATTENTION = "tuneproof_rows"


def pack_lengths(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Put rows into packs of at most `budget` tokens by best-fit decreasing; a longer row gets a pack of its own.

    Returns lists of indices into `lengths`. Best fit uses at most 11/9 of the optimal number of packs (Johnson 1973).
    """
    packs: list[list[int]] = []
    rooms: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        fitting = [pack for pack, room in enumerate(rooms) if room >= lengths[index]]
        if fitting:
            pack = min(fitting, key=lambda p: rooms[p])
            packs[pack].append(index)
            rooms[pack] -= lengths[index]
        else:
            packs.append([index])
            rooms.append(budget - lengths[index])
    return packs


def attend_rows(
    module: nn.Module,
    query_BHTD: Tensor,
    key_BHTD: Tensor,
    value_BHTD: Tensor,
    attention_mask: Tensor | None,
    *,
    segments: Sequence[int] | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each of `segments` (lengths that add up to T); plain sdpa when there are none.

    Returns (output of shape B, T, H, D; None), as transformers' attention interface asks.
    """
    if segments is None:
        output, _ = sdpa_attention_forward(module, query_BHTD, key_BHTD, value_BHTD, attention_mask, **options)
        return output, None
    grouped = key_BHTD.shape[1] != query_BHTD.shape[1]
    window = options.get("sliding_window")
    outputs = []
    for query, key, value in zip(
        query_BHTD.split(list(segments), 2),
        key_BHTD.split(list(segments), 2),
        value_BHTD.split(list(segments), 2),
        strict=False,
    ):
        band = _band(query.shape[2], window, query.device) if window and query.shape[2] > window else None
        outputs.append(
            nn.functional.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=band,
                dropout_p=options.get("dropout", 0.0),
                is_causal=band is None,
                scale=options.get("scaling"),
                enable_gqa=grouped,
            )
        )
    return torch.cat(outputs, 2).transpose(1, 2).contiguous(), None


def _band(length: int, window: int, device: torch.device) -> Tensor:
    """Causal mask of a sliding window: shape (length, length), True where a token may look."""
    distance = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)[None, :]
    return (distance >= 0) & (distance < window)


def _mask_rows(
    *, attention_mask: Tensor | None = None, allow_is_causal_skip: bool = True, **options: Any
) -> Tensor | None:
    """No mask for packed rows, since `attend_rows` never computes what it would hide; sdpa's mask otherwise.

    transformers finds packed rows by their position ids and then forbids skipping the mask: that is the sign used here.
    """
    if attention_mask is None and not allow_is_causal_skip and options["q_length"] == options["kv_length"]:
        return None
    mask: Tensor | None = sdpa_mask(attention_mask=attention_mask, allow_is_causal_skip=allow_is_causal_skip, **options)
    return mask


ALL_ATTENTION_FUNCTIONS.register(ATTENTION, attend_rows)
ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, _mask_rows)


def check_isolation(model: nn.Module, *, tolerance: float = 1e-3) -> bool:
    """Whether packed rows give the same logits as single ones, on this model: two short rows are run both ways.

    `tolerance` is relative to the largest logit; fp32 differs by about 1e-5, bf16 by 1e-2 (it is then widened).
    """
    device = next(model.parameters()).device
    if next(model.parameters()).dtype != torch.float32:
        tolerance = 5e-2
    vocabulary = model.get_input_embeddings().weight.shape[0]  # type: ignore[operator]
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(0, vocabulary, (length,), generator=generator).to(device) for length in (7, 5)]
    training = model.training
    model.eval()
    with torch.no_grad():
        single = torch.cat([model(input_ids=row[None], use_cache=False).logits[0] for row in rows])
        positions = torch.cat([torch.arange(len(row), device=device) for row in rows])
        try:
            packed = model(
                input_ids=torch.cat(rows)[None],
                position_ids=positions[None],
                use_cache=False,
                segments=[len(row) for row in rows],
            ).logits[0]
        except TypeError:
            # The architecture does not hand keyword arguments down to its attention.
            return False
        finally:
            model.train(training)
    return bool((packed - single).abs().max() <= tolerance * single.abs().max())
