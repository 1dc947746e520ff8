"""Would a trace fit on a GPU? Its allocations, replayed on a model of PyTorch's caching allocator with a capacity.

The rules are those of c10/cuda/CUDACachingAllocator.cpp for one stream: blocks are rounded up to 512 bytes; up to
1 MiB they are cut from segments of 2 MiB, below 10 MiB from segments of 20 MiB, larger ones get a segment of their own
in steps of 2 MiB; best fit; a block is split when the rest is worth keeping (512 bytes in small segments, more than
1 MiB in large ones) and merged with free neighbours; when the device has no room, all wholly free segments are given
back, once.

    replay_events(traced.static, traced.events, capacity=5 << 30).grade      # "fits", "tight" or "no"
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

MIB = 1 << 20
SMALL_BLOCK, SMALL_SEGMENT = MIB, 2 * MIB
MIDDLE_BLOCK, MIDDLE_SEGMENT = 10 * MIB, 20 * MIB


class Replay(NamedTuple):
    """How a replay ended. Bytes."""

    grade: Literal["fits", "tight", "no"]
    """`tight`: it fits only because free segments are given back to the device, which is slow."""
    reserved: int
    """Most that was reserved of the device."""
    allocated: int
    """Most that was in use, whole blocks: a rest that is not worth splitting off counts with its block."""
    flushes: int
    """Times that free segments were given back."""


class Block:
    """A piece of a segment; neighbours are linked."""

    __slots__ = ("address", "free", "next", "previous", "size", "small")

    def __init__(self, address: int, size: int, small: bool) -> None:
        self.address = address
        self.size = size
        self.small = small
        self.free = True
        self.previous: Block | None = None
        self.next: Block | None = None


class CachingAllocator:
    """The allocator's state. `allocate` raises MemoryError when nothing helps."""

    def __init__(self, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.reserved = 0
        self.peak_reserved = 0
        self.allocated = 0
        self.peak_allocated = 0
        self.flushes = 0
        self._free: dict[bool, list[tuple[int, int, Block]]] = {True: [], False: []}
        self._held: dict[int, Block] = {}
        self._next_address = 0

    def allocate(self, key: int, size: int) -> None:
        """Take a block of at least `size` bytes."""
        size = max(512, -(-size // 512) * 512)
        small = size <= SMALL_BLOCK
        block = self._find(size, small) or self._reserve(size, small)
        rest = block.size - size
        if rest >= (512 if small else SMALL_BLOCK + 1):
            self._split(block, size)
        block.free = False
        self._held[key] = block
        self.allocated += block.size
        self.peak_allocated = max(self.peak_allocated, self.allocated)

    def release(self, key: int) -> None:
        """Give a block back to the cache and join it with free neighbours."""
        block = self._held.pop(key)
        self.allocated -= block.size
        before = block.previous
        if before is not None and before.free:
            self._unlist(before)
            before.size += block.size
            before.next = block.next
            if block.next:
                block.next.previous = before
            block = before
        after = block.next
        if after is not None and after.free:
            self._unlist(after)
            block.size += after.size
            block.next = after.next
            if after.next:
                after.next.previous = block
        self._list(block)

    def _find(self, size: int, small: bool) -> Block | None:
        """The smallest free block that is large enough."""
        blocks = self._free[small]
        at = bisect.bisect_left(blocks, (size, -1))
        return blocks.pop(at)[2] if at < len(blocks) else None

    def _reserve(self, size: int, small: bool) -> Block:
        """A new segment of the device."""
        if small:
            segment = SMALL_SEGMENT
        else:
            segment = MIDDLE_SEGMENT if size < MIDDLE_BLOCK else -(-size // SMALL_SEGMENT) * SMALL_SEGMENT
        if self.capacity is not None and self.reserved + segment > self.capacity:
            self._flush()
            if self.reserved + segment > self.capacity:
                raise MemoryError
        self.reserved += segment
        self.peak_reserved = max(self.peak_reserved, self.reserved)
        block = Block(self._next_address, segment, small)
        self._next_address += segment
        return block

    def _flush(self) -> None:
        """Give every segment that is wholly free back to the device."""
        self.flushes += 1
        for blocks in self._free.values():
            whole = [entry[2] for entry in blocks if entry[2].previous is None and entry[2].next is None]
            for block in whole:
                self._unlist(block)
                self.reserved -= block.size

    def _split(self, block: Block, size: int) -> None:
        rest = Block(block.address + size, block.size - size, block.small)
        rest.previous, rest.next = block, block.next
        if block.next:
            block.next.previous = rest
        block.next, block.size = rest, size
        self._list(rest)

    def _list(self, block: Block) -> None:
        block.free = True
        bisect.insort(self._free[block.small], (block.size, block.address, block))

    def _unlist(self, block: Block) -> None:
        blocks = self._free[block.small]
        del blocks[bisect.bisect_left(blocks, (block.size, block.address))]
        block.free = False


def replay_events(
    static: Sequence[tuple[int, int]], events: Sequence[tuple[int, int]], *, capacity: int | None
) -> Replay:
    """Replay what lasts, then the step twice: the second one meets the cache that the first one left.

    Events are (number, bytes), and (number, 0) when the storage is freed; all that the step allocates it must free.
    """
    allocator = CachingAllocator(capacity)
    grade: Literal["fits", "tight", "no"]
    try:
        for run in (static, events, events):
            _replay(allocator, run)
    except MemoryError:
        grade = "no"
    else:
        grade = "tight" if allocator.flushes else "fits"
    return Replay(grade, allocator.peak_reserved, allocator.peak_allocated, allocator.flushes)


def _replay(allocator: CachingAllocator, events: Iterable[tuple[int, int]]) -> None:
    for number, size in events:
        if size:
            allocator.allocate(number, size)
        else:
            allocator.release(number)
