"""Character grams of many texts at once, as arrays: hashes, which of them are a task's wording, MinHash band keys.

All of it is whole-number arithmetic on code points, so that it is the same on every machine and for any number of
workers. Texts come in batches; shapes: N characters of a batch, G grams, R rows, K bins.

    batch = pack_texts(["what is a river?", "name a colour."])
    codes_G, rows_G = hash_grams(batch, 5)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
BANDS, BAND_ROWS = 21, 6
"""Pairs at similarity s are proposed with probability 1 - (1 - s^6)^21: 0.998 at 0.8, 0.28 at 0.5."""
BINS = BANDS * BAND_ROWS
EMPTY = np.uint32(0xFFFFFFFF)
ATTEMPTS = 2_000
SLOTS = 22
"""Bits of the table that counts wordings: 4 million counters, 16 MB, whatever the number of rows."""


class Batch(NamedTuple):
    """Texts end to end: their code points, where each starts, how long it is (padded to the longest gram or more)."""

    codes_N: npt.NDArray[np.uint32]
    starts_R: Places
    sizes_R: Places


def mix_bits(values: Words) -> Words:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): each bit of the result depends on all."""
    mixed = (values ^ (values >> np.uint64(30))) * MIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX[1]
    return mixed ^ (mixed >> np.uint64(31))


def pack_texts(texts: list[str]) -> Batch:
    """The texts as one array of code points."""
    sizes_R = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    codes_N = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return Batch(codes_N, np.cumsum(sizes_R) - sizes_R, sizes_R)


def hash_grams(batch: Batch, size: int) -> tuple[Words, Places]:
    """(hash, row) of every gram of `size` characters, in the order of the texts; a shorter text is one gram."""
    padded_N = np.concatenate([batch.codes_N, np.zeros(size, dtype=np.uint32)]).astype(np.uint64)
    counts_R = np.maximum(batch.sizes_R - size + 1, 1)
    rows_G = np.repeat(np.arange(len(counts_R)), counts_R)
    places_G = np.arange(counts_R.sum()) - np.repeat(np.cumsum(counts_R) - counts_R, counts_R)
    at_G = batch.starts_R[rows_G] + places_G
    codes_G = mix_bits(roll_hash(padded_N, size)[at_G])
    short_R = np.flatnonzero(batch.sizes_R < size)
    if len(short_R):
        first_R = np.cumsum(counts_R) - counts_R
        for row in short_R:
            start, length = batch.starts_R[row], batch.sizes_R[row]
            codes_G[first_R[row]] = hash_short(batch.codes_N[start : start + length])
    return codes_G, rows_G


def roll_hash(codes_N: Words, size: int) -> Words:
    """A polynomial in an odd number over each `size` codes that follow each other, put together from its halves.

    Wrapped around at 64 bits, it loses nothing.
    """
    if size == 1:
        return codes_N
    half = size // 2
    halves = roll_hash(codes_N, half)
    whole = halves[:-half] * np.uint64(pow(int(GOLDEN), half, 1 << 64)) + halves[half:]
    return whole[:-1] * GOLDEN + codes_N[2 * half :] if size % 2 else whole


def hash_short(codes: npt.NDArray[np.uint32]) -> np.uint64:
    """The hash of a text that is shorter than a gram."""
    value = np.array([len(codes)], dtype=np.uint64)
    for code in codes:
        value = mix_bits(value * GOLDEN + np.uint64(code))
    return np.uint64(value[0])


def slot_grams(codes_G: Words) -> Places:
    """The counter of each gram."""
    return (codes_G >> np.uint64(64 - SLOTS)).astype(np.int64)


def add_slots(counts: npt.NDArray[np.int32], codes_G: Words, rows_G: Places) -> None:
    """Add to each counter how many rows of the batch have a gram in it; a row counts once for each."""
    pairs = (rows_G << SLOTS) | slot_grams(codes_G)
    pairs.sort()
    once = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
    np.add.at(counts, once & ((1 << SLOTS) - 1), np.int32(1))


def make_keys(codes_G: Words, rows_G: Places, rows: int) -> Words:
    """A key for each of the 21 bands (rows x bands): rows that agree in one are worth comparing.

    One permutation hashing (Li, Owen and Zhang 2012): each gram falls into one of 126 bins, each bin keeps its smallest
    value; empty ones take that of another bin, drawn until one is not empty (Shrivastava, ICML 2017).
    """
    bins_G = ((codes_G >> np.uint64(40)) % np.uint64(BINS)).astype(np.int64)
    least = np.full(rows * BINS, EMPTY, dtype=np.uint32)
    values_G = (codes_G & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    np.minimum.at(least, rows_G * BINS + bins_G, np.minimum(values_G, EMPTY - np.uint32(1)))
    filled = fill_bins(least.reshape(rows, BINS)).astype(np.uint64)
    keys = np.zeros((rows, BANDS), dtype=np.uint64)
    for offset in range(BAND_ROWS):
        keys = mix_bits(keys * GOLDEN + filled[:, offset::BAND_ROWS])
    return keys


def fill_bins(least: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """The bins (rows x bins) with every empty one filled from another of the same row."""
    filled = least.copy()
    rows, bins = np.nonzero(least == EMPTY)
    for attempt in range(1, ATTEMPTS):
        if not len(rows):
            break
        drawn = mix_bits(bins.astype(np.uint64) * GOLDEN + np.uint64(attempt)) % np.uint64(BINS)
        found = least[rows, drawn.astype(np.int64)]
        full = found != EMPTY
        filled[rows[full], bins[full]] = found[full]
        rows, bins = rows[~full], bins[~full]
    return filled
