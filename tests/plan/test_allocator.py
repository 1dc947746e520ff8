"""The model of the caching allocator, against its written rules and against simple truths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.plan.allocator import MIB, CachingAllocator, replay_events


def reserve(*sizes: int) -> int:
    """Bytes reserved after these allocations."""
    allocator = CachingAllocator()
    for key, size in enumerate(sizes):
        allocator.allocate(key, size)
    return allocator.reserved


def test_segments_have_the_sizes_of_the_real_allocator() -> None:
    assert reserve(1) == 2 * MIB
    assert reserve(MIB) == 2 * MIB
    assert reserve(MIB, MIB) == 2 * MIB
    assert reserve(MIB + 1) == 20 * MIB
    assert reserve(9 * MIB, 9 * MIB) == 20 * MIB
    assert reserve(10 * MIB) == 10 * MIB
    assert reserve(25 * MIB + 1) == 26 * MIB


def test_small_blocks_are_rounded_to_512_bytes() -> None:
    assert reserve(*[1] * 4096) == 2 * MIB
    assert reserve(*[1] * 4097) == 4 * MIB
    assert reserve(*[513] * 2049) == 4 * MIB


def test_a_freed_block_is_used_again_and_merged() -> None:
    allocator = CachingAllocator()
    for key in range(4):
        allocator.allocate(key, 5 * MIB)
    for key in (0, 2, 1):
        allocator.release(key)
    allocator.allocate(9, 15 * MIB)
    assert allocator.reserved == 20 * MIB


def test_best_fit_takes_the_smallest_block_that_is_large_enough() -> None:
    allocator = CachingAllocator()
    allocator.allocate(0, 40 * MIB)
    allocator.allocate(1, 30 * MIB)
    allocator.release(0)
    allocator.release(1)
    allocator.allocate(2, 30 * MIB)
    allocator.allocate(3, 40 * MIB)
    assert allocator.reserved == 70 * MIB


def test_what_fits_only_by_giving_back_is_tight() -> None:
    static = [(1, 10 * MIB)]
    events = [(2, 40 * MIB), (2, 0), (3, 60 * MIB), (3, 0)]
    assert replay_events(static, events, capacity=200 * MIB).grade == "fits"
    tight = replay_events(static, events, capacity=80 * MIB)
    assert (tight.grade, tight.reserved) == ("tight", 70 * MIB)
    assert tight.flushes >= 1
    assert replay_events(static, events, capacity=69 * MIB).grade == "no"


def test_a_fragmented_segment_cannot_be_given_back() -> None:
    """A small block that stays pins its whole segment."""
    events = [(1, 30 * MIB), (1, 0), (2, 2 * MIB), (3, 32 * MIB), (3, 0), (2, 0)]
    assert replay_events([], events, capacity=50 * MIB).grade == "no"
    assert replay_events([], events, capacity=62 * MIB).grade == "fits"


@given(st.lists(st.integers(1, 30 * MIB), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_reserved_is_never_below_what_is_live(sizes: list[int], random: object) -> None:
    allocator = CachingAllocator()
    live: dict[int, int] = {}
    for key, size in enumerate(sizes):
        allocator.allocate(key, size)
        live[key] = size
        if random.random() < 0.5:  # type: ignore[attr-defined]
            gone = random.choice(sorted(live))  # type: ignore[attr-defined]
            allocator.release(gone)
            del live[gone]
        assert allocator.reserved >= sum(live.values())
    for key in live:
        allocator.release(key)
    allocator.capacity = 0
    with pytest.raises(MemoryError):
        allocator.allocate(-1, 64 * MIB)
    # With everything freed and merged, giving back leaves nothing.
    assert allocator.reserved == 0
