"""Rows side by side in packs of bounded length: no padding is computed. `attention` keeps them apart.

for pack in pack_lengths([30, 90, 20], budget=120): ...      # [[1, 0], [2]]
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def pack_lengths(lengths: Sequence[int], budget: int, most: int | None = None) -> list[list[int]]:
    """Put rows into packs of at most `budget` tokens by best-fit decreasing; a longer row gets a pack of its own.

    Packs of more than `most` rows are cut.

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
    if most is None:
        return packs
    return [pack[at : at + most] for pack in packs for at in range(0, len(pack), most)]


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
