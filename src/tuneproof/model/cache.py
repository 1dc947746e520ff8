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
        self.first = 0
        """Column of the buffers that the views begin at."""

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append states of new tokens; returns all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        length, new = self.get_seq_length(), key_states.shape[-2]
        if self.buffers is None or self.first + length + new > self.buffers[0].shape[-2]:
            self._move_to_larger(key_states, value_states, length, length + new + ROOM)
        assert self.buffers is not None
        start = self.first + length
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[:, :, start : start + new] = states
        return self._show(self.first, start + new)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some rows; they move to the front of the buffers."""
        if self.buffers is None:
            return
        start, end, count = self.first, self.first + self.get_seq_length(), len(indices)
        for buffer in self.buffers:
            buffer[:count, :, start:end] = buffer[indices, :, start:end]
        self.buffers = self.buffers[0][:count], self.buffers[1][:count]
        self._show(start, end)

    def open_rows(self, rows: Tensor, width: int) -> PlaceLayer:
        """Room for `width` tokens where some rows are, so that all end in one column.

        In front of shorter rows lie zeros, or what was forgotten: for a mask to hide.
        """
        length = self.get_seq_length()
        assert self.buffers is not None
        if width > self.first + length:
            self._move_to_larger(*self.buffers, length, width + ROOM, front=width - length)
        end = self.first + length
        for buffer in self.buffers:
            # Nothing of the rows before may be left: hidden is multiplied by 0, and 0 times no number is no number.
            buffer[rows, :, :end] = 0
        self._show(min(self.first, end - width), end)
        return PlaceLayer(self.buffers, rows, end - width)

    def show(self, length: int) -> tuple[Tensor, Tensor]:
        """Keys and values of the first `length` tokens."""
        assert self.keys is not None
        assert self.values is not None
        return self.keys[:, :, :length], self.values[:, :, :length]

    def forget(self, count: int) -> None:
        """Leave out the first `count` tokens, which no row needs any more."""
        self._show(self.first + count, self.first + self.get_seq_length())

    def reserve(self, length: int) -> None:
        """Stand as after `length` tokens, the new ones unset: what the memory plan looks at."""
        assert self.buffers is not None
        self._move_to_larger(*self.buffers, self.get_seq_length(), length + ROOM)
        self._show(0, length)

    def end(self) -> int:
        """Column of the buffers after the newest token."""
        return self.first + self.get_seq_length()

    def outgrows(self) -> bool:
        """Whether the next token takes larger buffers."""
        assert self.buffers is not None
        return self.end() == self.buffers[0].shape[2] and self.first < ROOM

    def make_room(self) -> None:
        """Have a column for the next token: in place, where `ROOM` of them were forgotten; else in larger buffers."""
        assert self.buffers is not None
        length = self.get_seq_length()
        if self.end() < self.buffers[0].shape[2]:
            return
        if self.outgrows():
            self._move_to_larger(*self.buffers, length, length + ROOM)
        else:
            for buffer, held in zip(self.buffers, self.show(length), strict=True):
                buffer[:, :, :length] = held.clone()
            self.first = 0
        self._show(self.first, self.first + length)

    def hold(self) -> tuple[Tensor, Tensor]:
        """The buffers, with zeros in every column that has no token: for who reads all of them, some hidden."""
        assert self.buffers is not None
        for buffer in self.buffers:
            buffer[:, :, self.end() :] = 0
            buffer[:, :, : self.first] = 0
        return self.buffers

    def grow(self) -> None:
        """Count one more token, which was written after the newest."""
        self._show(self.first, self.end() + 1)

    def _move_to_larger(
        self, key_states: Tensor, value_states: Tensor, length: int, capacity: int, front: int = 0
    ) -> None:
        """Buffers of that many columns, with what is held after `front` columns of zeros."""
        held = (self.keys, self.values) if length else (None, None)
        made = []
        for old, states in zip(held, (key_states, value_states), strict=True):
            buffer = states.new_empty(*states.shape[:2], capacity, states.shape[3])
            buffer[:, :, :front] = 0
            if old is not None:
                buffer[:, :, front : front + length] = old
            made.append(buffer)
        self.buffers, self.first = (made[0], made[1]), front

    def _show(self, start: int, end: int) -> tuple[Tensor, Tensor]:
        assert self.buffers is not None
        keys, values = (buffer[:, :, start:end] for buffer in self.buffers)
        self.keys, self.values, self.first = keys, values, start
        return keys, values


class PlaceLayer(DynamicLayer):
    """Some rows of a roomy layer, from a column on, while their prompts are read: for them it is the whole layer."""

    def __init__(self, buffers: tuple[Tensor, Tensor], rows: Tensor, start: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.buffers, self.rows, self.start, self.length = buffers, rows, start, 0

    def get_seq_length(self) -> int:
        """Tokens that the rows have so far."""
        return self.length

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append states of new tokens; returns all keys and values of the rows."""
        at, self.length = self.start + self.length, self.length + key_states.shape[-2]
        end = self.start + self.length
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[self.rows, :, at:end] = states
        if at == self.start:
            return key_states, value_states
        keys, values = (buffer[self.rows, :, self.start : end] for buffer in self.buffers)
        return keys, values


def open_cache(config: Any) -> DynamicCache:
    """An empty cache for a model of this config; layers with a sliding window keep transformers' own."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
