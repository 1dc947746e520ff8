"""Rows that come and go while others are being answered: each has a slot of its own in one cache.

`model/cache` holds rows that begin together and only leave. A server's rows come at any time, so here a row's keys and
values lie left-aligned in a slot: to come, a row is read alone and copied into the next free slot; to leave, the last
row takes its slot. No other row is touched. A mask says how far each slot is filled.

In: prompts read alone (`open_cache`). Out: logits of the next token of every row. Whether a model answers in slots as
it answers alone is found by trying (`check_slots`), so no list of architectures is kept; one that does not has one
slot, which is transformers' own cache.

    slots = open_slots(model, tokens=65_536)
    slots.join(cache, length=12, room=76)             # a prompt of 12 tokens, and 64 to come
    logits_BV = slots.read(model, next_ids)           # one more token of each row
    slots.leave(0)                                    # the last row is now row 0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tuneproof.model.batch import read_next, read_prompt
from tuneproof.model.cache import RoomyLayer, open_cache

STEP = 128
"""Tokens by which slots grow."""
TOLERANCE = {torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 5e-2}
"""How far logits may be apart, as a share of the largest: a few roundings of each type in another order."""


class Places:
    """Where each row's next token goes; shared by all layers."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.lengths: list[int] = []
        self.row_B = torch.empty(0, dtype=torch.long, device=device)
        self.length_B = self.row_B

    def fix(self) -> None:
        """Make the tensors of the next forward."""
        self.row_B = torch.arange(len(self.lengths), device=self.device)
        self.length_B = torch.tensor(self.lengths, device=self.device)


class SlotLayer(RoomyLayer):
    """Keys and values of one layer: buffers of shape (slots, heads, room, D), a row in each slot."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self.places = places

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Write one new token of each row at its place; all keys and values up to the longest row's."""
        assert self.buffers is not None
        places = self.places
        for buffer, states in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[places.row_B, :, places.length_B] = states[:, :, 0]
        rows, longest = len(places.lengths), max(places.lengths) + 1
        return self.buffers[0][:rows, :, :longest], self.buffers[1][:rows, :, :longest]

    def take(self, layer: Any, slot: int, length: int) -> None:
        """Copy the only row of `layer` into a slot."""
        assert self.buffers is not None
        for buffer, states in zip(self.buffers, (layer.keys, layer.values), strict=True):
            assert states is not None
            buffer[slot, :, :length] = states[0]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row to another slot."""
        assert self.buffers is not None
        for buffer in self.buffers:
            buffer[target, :, :length] = buffer[source, :, :length]

    def resize(self, like: Any, slots: int, room: int, kept: int) -> None:
        """Buffers of this size, with the first `kept` rows of the old ones; zeros elsewhere, since 0 times what was in
        memory before may be no number."""
        made = []
        for at, states in enumerate((like.keys, like.values)):
            assert states is not None
            buffer = states.new_zeros(slots, states.shape[1], room, states.shape[3])
            if self.buffers is not None and kept:
                held = self.buffers[at][:kept, :, :room]
                buffer[:kept, :, : held.shape[2]] = held
            made.append(buffer)
        self.buffers = made[0], made[1]


class Rows(Protocol):
    """Rows being answered."""

    @property
    def limit(self) -> int | None:
        """Rows at most; None: as many as there is room for."""

    def fits(self, room: int) -> bool:
        """Whether there is room for another row of so many tokens. There always is for the first."""

    def join(self, cache: DynamicCache, *, length: int, room: int) -> None:
        """Add a row after the last: a prompt of `length` tokens that was read alone, and `room` tokens in all."""

    def leave(self, row: int) -> None:
        """Drop a row; the last one takes its number."""

    def clear(self) -> None:
        """Drop all rows."""

    def read(self, model: nn.Module, ids: Sequence[int]) -> Tensor:
        """Read one more token of each row; logits of the next, shape (B, V)."""


class Slots:
    """Rows in slots of one cache, which holds `tokens` in all."""

    limit: int | None = None

    def __init__(self, layers: int, device: torch.device, tokens: int) -> None:
        self.places = Places(device)
        self.tokens = tokens
        self.rooms: list[int] = []
        self.slots, self.room = 0, 0
        self.layers = [SlotLayer(self.places) for _ in range(layers)]
        self.cache = DynamicCache()
        self.cache.layers = list(self.layers)

    def fits(self, room: int) -> bool:
        """As `Rows`. All slots are as large as the largest row needs."""
        return not self.rooms or (len(self.rooms) + 1) * _round_up(max(*self.rooms, room)) <= self.tokens

    def join(self, cache: DynamicCache, *, length: int, room: int) -> None:
        """As `Rows`."""
        slot = len(self.rooms)
        needed = _round_up(max([*self.rooms, room]))
        # One long row must not set the size of all that come after it.
        if slot >= self.slots or not needed <= self.room <= 2 * needed:
            slots = max(slot + 1, min(2 * slot, self.tokens // needed))
            for layer, source in zip(self.layers, cache.layers, strict=True):
                layer.resize(source, slots, needed, slot)
            self.slots, self.room = slots, needed
        for layer, source in zip(self.layers, cache.layers, strict=True):
            layer.take(source, slot, length)
        # Last, so that a row that memory was too small for has never been there.
        self.rooms.append(room)
        self.places.lengths.append(length)

    def leave(self, row: int) -> None:
        """As `Rows`."""
        lengths = self.places.lengths
        last = len(lengths) - 1
        if row != last:
            for layer in self.layers:
                layer.move(last, row, lengths[last])
        for numbers in (lengths, self.rooms):
            numbers[row] = numbers[last]
            numbers.pop()

    def clear(self) -> None:
        """As `Rows`."""
        self.rooms.clear()
        self.places.lengths.clear()

    def read(self, model: nn.Module, ids: Sequence[int]) -> Tensor:
        """As `Rows`."""
        places = self.places
        places.fix()
        longest = max(places.lengths) + 1
        seen_BT = torch.arange(longest, device=places.device)[None] <= places.length_B[:, None]
        ids_B1 = torch.tensor(ids, device=places.device)[:, None]
        logits_BV = read_next(model, self.cache, ids_B1, seen_BT[:, None, None], places.length_B[:, None])
        places.lengths = [length + 1 for length in places.lengths]
        return logits_BV


def _round_up(room: int) -> int:
    return -(-room // STEP) * STEP


class OneSlot:
    """A single row in transformers' own cache: for every model that can answer at all."""

    limit: int | None = 1

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.cache: DynamicCache | None = None
        self.length = 0

    def fits(self, room: int) -> bool:
        """As `Rows`."""
        return self.cache is None

    def join(self, cache: DynamicCache, *, length: int, room: int) -> None:
        """As `Rows`."""
        self.cache, self.length = cache, length

    def leave(self, row: int) -> None:
        """As `Rows`."""
        self.cache = None

    def clear(self) -> None:
        """As `Rows`."""
        self.cache = None

    def read(self, model: nn.Module, ids: Sequence[int]) -> Tensor:
        """As `Rows`."""
        assert self.cache is not None
        self.length += 1
        return read_prompt(model, self.cache, ids, self.length - 1)


@torch.inference_mode()
def open_slots(model: Any, tokens: int) -> Rows:
    """Slots of `tokens` in all where the model answers in them as it does alone; else one row at a time."""
    device = next(model.parameters()).device
    return Slots(len(open_cache(model.config).layers), device, tokens) if check_slots(model) else OneSlot(device)


@torch.inference_mode()
def check_slots(model: Any) -> bool:
    """Whether rows that come and go get the logits that each gets alone."""
    layers = open_cache(model.config).layers
    if not layers or any(type(layer) is not RoomyLayer for layer in layers):
        # A sliding window or a recurrent state is no list of tokens that a mask could cut.
        return False
    size = min(model.config.get_text_config().vocab_size, 97)
    texts = [[(7 * at + 3 * row) % size for at in range(length)] for row, length in enumerate((19, 5, 11))]
    prompts = (9, 2, 6)
    alone = [_read_alone(model, text, prompt) for text, prompt in zip(texts, prompts, strict=True)]
    try:
        together = _read_in_slots(model, texts, prompts)
    except (RuntimeError, TypeError, ValueError):
        return False
    tolerance = TOLERANCE.get(alone[0][0].dtype, 5e-2)
    return all(
        bool((one - other).abs().max() <= tolerance * one.abs().max())
        for ours, theirs in zip(together, alone, strict=True)
        for one, other in zip(ours, theirs, strict=True)
    )


def _read_alone(model: Any, text: Sequence[int], prompt: int) -> list[Tensor]:
    """Logits after the prompt and after each token that follows it."""
    cache = open_cache(model.config)
    logits = [read_prompt(model, cache, text[:prompt], 0)]
    logits += [read_prompt(model, cache, [text[at]], at) for at in range(prompt, len(text))]
    return logits


def _read_in_slots(model: Any, texts: Sequence[Sequence[int]], prompts: Sequence[int]) -> list[list[Tensor]]:
    """The same, each row coming one step after the one before it, and leaving when its text is read."""
    slots = Slots(len(open_cache(model.config).layers), next(model.parameters()).device, len(texts) * STEP)
    logits: list[list[Tensor]] = [[] for _ in texts]
    rows: list[int] = []
    waiting = list(range(len(texts)))
    while rows or waiting:
        if waiting:
            row = waiting.pop(0)
            cache = open_cache(model.config)
            logits[row].append(read_prompt(model, cache, texts[row][: prompts[row]], 0))
            slots.join(cache, length=prompts[row], room=len(texts[row]))
            rows.append(row)
        read = slots.read(model, [texts[row][slots.places.lengths[at]] for at, row in enumerate(rows)])
        for at, row in enumerate(rows):
            logits[row].append(read[at : at + 1])
        for at in reversed(range(len(rows))):
            if slots.places.lengths[at] == len(texts[rows[at]]):
                slots.leave(at)
                rows[at] = rows[-1]
                rows.pop()
    return logits
