"""Rows that are answered side by side: new ones take the places of those that have ended.

Prompts are read together, padded on the left, so the newest token of every row lies in the same column of the cache.
Rows that come later are read on their own and put where ended ones were, their last token in that column, too: to a
model that is one padded batch like any other. A model whose cache is more than a list of tokens (a sliding window, a
recurrent state) answers the rows of a batch to their end before new ones are read, and shares no beginning.

What prompts begin with (the system prompt, the examples of a control) is read once, and kept for those that follow.

    reader = Reader(model, pick)
    batch = reader.read(prompts[:16])                        # their first new tokens: batch.next_B
    batch = read_on(model, batch, pick)                      # one more of each
    batch = reader.fill(batch, [3, 5], prompts[16:18])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicSlidingWindowLayer

from tuneproof.model.cache import RoomyLayer, open_cache, pass_cache

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
    """0 where a row is padded, or has no tokens yet."""
    position_B1: Tensor
    """Position of the newest token in its own row; 0 or more where the answer has ended."""


class Beginning(NamedTuple):
    """What prompts begin with: its tokens, and a cache of one row that has read them."""

    ids: Sequence[int]
    cache: DynamicCache


class Reader:
    """Reads prompts, and keeps what the last ones began with."""

    def __init__(self, model: nn.Module, pick: Picker) -> None:
        self.model = model
        self.pick = pick
        self.device = next(model.parameters()).device
        self.held: Beginning | None = None
        cache = open_cache(model.config)
        self.fills = can_fill(cache)
        """Whether rows can come while others are being answered."""
        self.drops = all(type(layer) in (RoomyLayer, DynamicSlidingWindowLayer) for layer in cache.layers)
        """Whether rows can leave the cache: a recurrent state has no way to."""

    def read(self, prompts: Sequence[Sequence[int]]) -> Batch:
        """Read the prompts, and pick the first new token of each."""
        shared, cache = self._begin(prompts), open_cache(self.model.config)
        if shared:
            self._spread(cache, shared, len(prompts))
        return self._read_rest(cache, prompts, shared)

    def fill(self, batch: Batch, places: Sequence[int], prompts: Sequence[Sequence[int]]) -> Batch:
        """The batch with other prompts in these places, read, and the first new token of each."""
        shared, rows = self._begin(prompts), torch.tensor(places, device=self.device)
        length, theirs = batch.mask_BT.shape[1], max(map(len, prompts))
        cache = DynamicCache()
        cache.layers = [cast(RoomyLayer, layer).open_rows(rows, theirs) for layer in batch.cache.layers]
        if shared:
            self._spread(cache, shared, len(prompts))
        group = self._read_rest(cache, prompts, shared)
        width = max(length, theirs)
        mask_BT = batch.mask_BT.new_zeros(len(batch.mask_BT), width)
        mask_BT[:, width - length :] = batch.mask_BT
        mask_BT[rows] = 0
        mask_BT[rows, width - theirs :] = group.mask_BT.to(mask_BT.dtype)
        next_B, position_B1 = batch.next_B.clone(), batch.position_B1.clone()
        next_B[rows], position_B1[rows] = group.next_B, group.position_B1
        return Batch(batch.cache, next_B, mask_BT, position_B1)

    def _read_rest(self, cache: DynamicCache, prompts: Sequence[Sequence[int]], shared: int) -> Batch:
        """Read the prompts but for the `shared` tokens that the cache has of each."""
        width = max(map(len, prompts))
        pads = [width - len(prompt) for prompt in prompts]
        ids = [[0] * pad + list(prompt[shared:]) for pad, prompt in zip(pads, prompts, strict=True)]
        ids_BT = torch.tensor(ids, device=self.device)
        mask = [[1] * shared + [0] * pad + [1] * (width - shared - pad) for pad in pads]
        mask_BT = torch.tensor(mask, device=self.device)
        positions_BT = (mask_BT.cumsum(-1) - 1).clamp(min=0)[:, shared:]
        next_B = self.pick(read_next(self.model, cache, ids_BT, mask_BT, positions_BT))
        return Batch(cache, next_B, mask_BT, mask_BT.sum(-1, keepdim=True))

    def _begin(self, prompts: Sequence[Sequence[int]]) -> int:
        """Hold what all prompts begin with; how many tokens that is, 0 where it is not worth the while.

        Between it and a shorter prompt's rest there are padded columns, which a sliding window would count as tokens.
        """
        if not self.fills:
            return 0
        count, shared = len(prompts), count_shared(prompts)
        same = prompts[0][:shared] if count > 1 else prompts[0][:-1]
        known = count_same(self.held.ids, same) if self.held else 0
        if (shared - known) * (count - 1) < WORTH:
            return known if known * count >= WORTH else 0
        cache = open_cache(self.model.config)
        if known:
            self._spread(cache, known, 1)
        self.held = None
        read_prompt(self.model, cache, prompts[0][known:shared], known)
        self.held = Beginning(tuple(prompts[0][:shared]), cache)
        return shared

    def _spread(self, cache: DynamicCache, length: int, count: int) -> None:
        """Let `count` rows of a cache begin with the first tokens of what is held."""
        assert self.held is not None
        for layer, held in zip(cache.layers, self.held.cache.layers, strict=True):
            keys, values = cast(RoomyLayer, held).show(length)
            cast(RoomyLayer, layer).update(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1))


def can_fill(cache: DynamicCache) -> bool:
    """Whether rows of this kind of cache can take the places of others."""
    return all(type(layer) is RoomyLayer for layer in cache.layers)


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


def forget_ended(batch: Batch, busy: Sequence[int]) -> Batch:
    """The batch without the first columns, as far as none of the busy rows needs them.

    The others start to count from 0 again: a model that has learnt its positions has only so many.
    """
    rows = torch.tensor(busy, device=batch.next_B.device)
    position_B1 = torch.zeros_like(batch.position_B1)
    position_B1[rows] = batch.position_B1[rows]
    spare = int(batch.mask_BT[rows].any(0).long().argmax()) if can_fill(batch.cache) else 0
    for layer in batch.cache.layers if spare else ():
        cast(RoomyLayer, layer).forget(spare)
    return batch._replace(mask_BT=batch.mask_BT[:, spare:], position_B1=position_B1)


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


def read_prompt(model: nn.Module, cache: DynamicCache, ids: Sequence[int], start: int) -> Tensor:
    """Read tokens of one prompt that has `start` tokens in its cache; logits of the next, shape (1, V)."""
    device = next(model.parameters()).device
    ids_1T = torch.tensor([list(ids)], device=device)
    seen_1T = torch.ones(1, start + len(ids), dtype=torch.long, device=device)
    positions_1T = torch.arange(start, start + len(ids), device=device)[None]
    return read_next(model, cache, ids_1T, seen_1T, positions_1T)


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
        logits_to_keep=lay_last(ids_BT.device),
    ).logits
    return logits_B1V[:, -1]


@lru_cache(maxsize=8)
def lay_last(device: torch.device) -> Tensor:
    """The last position as an index, not as the number that transformers turns into a slice.

    A slice is not contiguous, and PyTorch 2.13 then multiplies every row by a copy of the head of its own
    (`should_fold`, LinearAlgebra.cpp). Measured on a CPU with 32 rows of the demo model: 1.3 s and 1.8 GB instead of
    4 ms. Kept: a copy to a card waits for all of its work, and none can be recorded.
    """
    with torch.inference_mode(False):
        return torch.tensor([-1], device=device)
