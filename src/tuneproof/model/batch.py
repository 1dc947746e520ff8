"""Rows that are answered side by side: new ones take the places of those that have ended.

Prompts are read together, padded on the left, so the newest token of every row lies in the same column of the cache.
Rows that come later are read on their own and put where ended ones were, their last token in that column, too: to a
model that is one padded batch like any other. A model whose cache is more than a list of tokens (a sliding window, a
recurrent state) answers the rows of a batch to their end before new ones are read.

What prompts begin with (the system prompt, the examples of a control) is read once, and kept for those that follow.

    reader = Reader(model, pick)
    batch = reader.read(prompts[:16])                        # their first new tokens: batch.next_B
    batch = read_on(model, batch, pick)                      # one more of each
    batch = fill_places(batch, [3, 5], reader.read(prompts[16:18]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tuneproof.model.cache import RoomyLayer, open_cache, pass_cache

LAST = torch.tensor([-1])
"""The last position as an index, not as the number that transformers turns into a slice: a slice is not contiguous, and
PyTorch 2.13 then multiplies every row by a copy of the head of its own (`should_fold`, LinearAlgebra.cpp). Measured on
a CPU with 32 rows of the demo model: 1.3 s and 1.8 GB instead of 4 ms."""
WORTH = 64
"""Tokens that reading a beginning once must save, since it takes a call of its own: about what the demo model reads in
the time of a call on two cores."""

Picker = Callable[[Tensor], Tensor]
"""Logits of shape (B, V) -> a token of each row, shape (B,)."""


class Batch(NamedTuple):
    """Rows being answered."""

    cache: DynamicCache
    next_B: Tensor
    """The newest token of each row, not yet in the cache."""
    mask_BT: Tensor
    """0 where a row is padded, or another's tokens are left."""
    position_B1: Tensor
    """Position of the newest token in its own row."""


class Reader:
    """Reads prompts, and keeps what the last ones began with."""

    def __init__(self, model: nn.Module, pick: Picker) -> None:
        self.model = model
        self.pick = pick
        self.device = next(model.parameters()).device
        self.held: Sequence[int] = ()
        self.cache: DynamicCache | None = None
        self.fills = all(type(layer) is RoomyLayer for layer in open_cache(model.config).layers)
        """Whether rows can come while others are being answered."""

    def read(self, prompts: Sequence[Sequence[int]]) -> Batch:
        """Read the prompts, and pick the first new token of each."""
        cache, shared = self._begin(prompts)
        width = max(len(prompt) for prompt in prompts) - shared
        pads = [width - len(prompt) + shared for prompt in prompts]
        ids = [[0] * pad + list(prompt[shared:]) for pad, prompt in zip(pads, prompts, strict=True)]
        ids_BT = torch.tensor(ids, device=self.device)
        mask = [[1] * shared + [0] * pad + [1] * (width - pad) for pad in pads]
        mask_BT = torch.tensor(mask, device=self.device)
        positions_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)[:, shared:]
        next_B = self.pick(read_next(self.model, cache, ids_BT, mask_BT, positions_BT))
        return Batch(cache, next_B, mask_BT, mask_BT.sum(-1, keepdim=True))

    def _begin(self, prompts: Sequence[Sequence[int]]) -> tuple[DynamicCache, int]:
        """A cache with what all prompts begin with, and how many tokens that is."""
        count, shared = len(prompts), count_shared(prompts)
        known = count_same(self.held, prompts[0][:shared] if count > 1 else prompts[0][:-1])
        if (shared - known) * (count - 1) < WORTH:
            shared = known
        else:
            cache = self._spread(known, 1)
            ids_1T = torch.tensor([list(prompts[0][known:shared])], device=self.device)
            places_1T = torch.arange(known, shared, device=self.device)[None]
            read_next(self.model, cache, ids_1T, torch.ones_like(ids_1T.new_empty(1, shared)), places_1T)
            if not self.fills:
                cache.batch_repeat_interleave(count)
                return cache, shared
            self.held, self.cache = tuple(prompts[0][:shared]), cache
        return self._spread(shared, count), shared

    def _spread(self, length: int, count: int) -> DynamicCache:
        """A cache of `count` rows with the first tokens of what is held."""
        cache = open_cache(self.model.config)
        if length and self.cache is not None:
            cache.layers = [cast(RoomyLayer, layer).spread(length, count) for layer in self.cache.layers]
        return cache


def read_on(model: nn.Module, batch: Batch, pick: Picker) -> Batch:
    """Read the newest token of each row, and pick the next."""
    mask_BT = torch.cat([batch.mask_BT, batch.mask_BT.new_ones(len(batch.mask_BT), 1)], 1)
    next_B = pick(read_next(model, batch.cache, batch.next_B[:, None], mask_BT, batch.position_B1))
    return Batch(batch.cache, next_B, mask_BT, batch.position_B1 + 1)


def keep_rows(batch: Batch, kept: Sequence[int]) -> Batch:
    """The batch without the other rows."""
    keep = torch.tensor(kept, device=batch.next_B.device)
    batch.cache.batch_select_indices(keep)
    return Batch(batch.cache, batch.next_B[keep], batch.mask_BT[keep], batch.position_B1[keep])


def fill_places(batch: Batch, places: Sequence[int], group: Batch) -> Batch:
    """The batch with the group's rows in these places, without columns that only ended rows needed."""
    rows = torch.tensor(places, device=batch.next_B.device)
    length, theirs = batch.mask_BT.shape[1], group.mask_BT.shape[1]
    width = max(length, theirs)
    mask_BT = batch.mask_BT.new_zeros(len(batch.mask_BT), width)
    mask_BT[:, width - length :] = batch.mask_BT
    mask_BT[rows] = 0
    mask_BT[rows, width - theirs :] = group.mask_BT
    spare = int(mask_BT.any(0).long().argmax())
    for layer, other in zip(batch.cache.layers, group.cache.layers, strict=True):
        roomy = cast(RoomyLayer, layer)
        roomy.put(rows, cast(RoomyLayer, other))
        roomy.forget(spare)
    next_B, position_B1 = batch.next_B.clone(), batch.position_B1.clone()
    next_B[rows], position_B1[rows] = group.next_B, group.position_B1
    return Batch(batch.cache, next_B, mask_BT[:, spare:], position_B1)


def count_shared(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens that all prompts begin with; 0 for a single prompt. At least one token of each is left to be read."""
    if len(prompts) == 1:
        return 0
    first, last = min(map(list, prompts)), max(map(list, prompts))
    limit = min(len(prompt) for prompt in prompts) - 1
    return count_same(first[:limit], last)


def count_same(one: Sequence[int], other: Sequence[int]) -> int:
    """Tokens that two texts begin with."""
    limit = min(len(one), len(other))
    return next((at for at in range(limit) if one[at] != other[at]), limit)


def read_next(model: Any, cache: DynamicCache, ids_BT: Tensor, mask: Tensor, positions_BT: Tensor) -> Tensor:
    """Logits of the token after the last of `ids_BT` in each row: shape (B, V).

    `mask`: 0 where a row is padded, shape (B, tokens in the cache and new ones); or which of these tokens each new one
    sees, shape (B, 1, T, all of them).
    """
    logits_B1V: Tensor = model(
        input_ids=ids_BT,
        attention_mask=mask,
        position_ids=positions_BT,
        **pass_cache(model, cache),
        use_cache=True,
        logits_to_keep=LAST.to(ids_BT.device),
    ).logits
    return logits_B1V[:, -1]
