"""A key-value cache with room to grow: a new token is written in place.

transformers' DynamicCache joins old and new states at every token, which copies the whole cache each time: with 128
rows of 1,500 tokens of the demo model 4.4 GB are read and written for one token. Here each layer holds `ROOM` tokens
more than it needs and is copied when that is full, so once in 64 tokens.

    cache = open_cache(model.config)
    model(..., **pass_cache(model, cache), use_cache=True)
"""

from __future__ import annotations

from functools import lru_cache
from inspect import signature
from typing import Any

from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens a layer is ahead of its need: 64 x 128 rows are 190 MB in all of the demo model's layers."""


def pass_cache(model: Any, cache: DynamicCache) -> dict[str, DynamicCache]:
    """The cache under the name by which the model takes it: transformers 5.24 renamed `past_key_values` to `cache`.

    Asked of the model and not of the version: a model of somebody else's may still have the old name.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return {_name_cache(inner.__class__): cache}


@lru_cache(maxsize=32)
def _name_cache(kind: Any) -> str:
    """Looked up once a class and not once a token."""
    return "cache" if "cache" in signature(kind.forward).parameters else "past_key_values"


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer, (B, heads, T, D) each: views into larger buffers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.buffers: tuple[Tensor, Tensor] | None = None

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append states of new tokens; returns all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self.buffers is None or end > self.buffers[0].shape[-2]:
            self._move_to_larger(key_states, value_states, start, end + ROOM)
        assert self.buffers is not None
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = states
        return self._show(end)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some rows; they move to the front of the buffers."""
        if self.buffers is None:
            return
        length, count = self.get_seq_length(), len(indices)
        for buffer in self.buffers:
            buffer[:count, :, :length] = buffer[indices, :, :length]
        self.buffers = self.buffers[0][:count], self.buffers[1][:count]
        self._show(length)

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat each row; the buffers are made anew with the next tokens."""
        super().batch_repeat_interleave(repeats)
        self.buffers = None

    def reserve(self, length: int) -> None:
        """Stand as after `length` tokens, the new ones unset: what the memory plan looks at."""
        assert self.buffers is not None
        self._move_to_larger(*self.buffers, self.get_seq_length(), length + ROOM)
        self._show(length)

    def _move_to_larger(self, key_states: Tensor, value_states: Tensor, length: int, capacity: int) -> None:
        held = (self.keys, self.values) if length else (None, None)
        made = []
        for old, states in zip(held, (key_states, value_states), strict=True):
            buffer = states.new_empty(*states.shape[:2], capacity, states.shape[3])
            if old is not None:
                buffer[:, :, :length] = old
            made.append(buffer)
        self.buffers = made[0], made[1]

    def _show(self, length: int) -> tuple[Tensor, Tensor]:
        assert self.buffers is not None
        keys, values = (buffer[:, :, :length] for buffer in self.buffers)
        self.keys, self.values = keys, values
        return keys, values


def open_cache(config: Any) -> DynamicCache:
    """An empty cache for a model of this config; layers with a sliding window keep transformers' own."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
