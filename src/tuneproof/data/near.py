"""Near-duplicate questions -> clusters, so that a split never has a row's twin on its other side.

MinHash signatures propose pairs, the exact Jaccard similarity of character 5-grams decides, union-find joins
what touches (Lee et al., arXiv 2107.06499; docs/evidence.md, rule 16). Characters, because one word changed in forty
moves a fifth of the word 5-grams, and because Chinese has no spaces. Where most of a row is wording that many rows
share (one long instruction, short inputs), rows are compared by what is their own.

    cluster_rows(rows)  # {"0f3a…": "0f3a…", "77b1…": "0f3a…"}: row id -> smallest row id of its cluster
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tuneproof.data.findings import make_case
from tuneproof.data.grams import (
    BANDS,
    SLOTS,
    Batch,
    Places,
    Words,
    add_slots,
    hash_grams,
    make_keys,
    pack_texts,
    slot_grams,
)
from tuneproof.data.language import count_han
from tuneproof.records import Row

THRESHOLD = 0.8
GRAM = 5
LONGEST = 20_000
"""Characters of a question that are compared."""
WORDING, WORDING_HAN = 20, 10
"""Characters in a row that many rows share are a task's wording; words alone are shared by all rows of a trade."""
COMMON_ROWS, COMMON_SHARE = 20, 0.02
"""Many: more rows than both."""
OWN_GRAMS, OWN_SHARE = 5, 0.5
"""A row is compared by its own 5-grams if it has so many of them, and if they are less than this share of all."""
BATCH, BATCH_ROWS = 400_000, 4_000
"""Characters and texts that are hashed at once."""
REMEMBERED = 20_000
"""Texts whose grams are kept while others are compared with them."""


def cluster_rows(rows: Sequence[Row], threshold: float = THRESHOLD) -> dict[str, str]:
    """Row id -> cluster id, the smallest row id of the cluster.

    `threshold`: Jaccard similarity (0 to 1) of the questions' character 5-grams from which two rows are joined.
    """
    groups = group_texts([make_case(row).prompt for row in rows], threshold)
    smallest: dict[int, str] = {}
    for row, group in zip(rows, groups, strict=True):
        smallest[group] = min(row.id, smallest.get(group, row.id))
    return {row.id: smallest[group] for row, group in zip(rows, groups, strict=True)}


def group_texts(texts: Sequence[str], threshold: float = THRESHOLD) -> list[int]:
    """For each text the index of the first text of its group; a chain of near-duplicates is one group."""
    first: dict[bytes, int] = {}
    same = [first.setdefault(digest_text(plain_text(text)), index) for index, text in enumerate(texts)]
    distinct = list(first.values())
    grams = Grams([texts[index] for index in distinct])
    links = Links(grams, threshold)
    for bucket in propose_groups(grams):
        links.join_bucket(bucket)
    place = {index: number for number, index in enumerate(distinct)}
    heads: dict[int, int] = {}
    groups = [heads.setdefault(links.find(number), index) for number, index in enumerate(distinct)]
    return [groups[place[index]] for index in same]


def plain_text(text: str) -> str:
    """The text as it is compared: width, case and white space make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digest_text(text: str) -> bytes:
    """16 bytes that stand for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Grams:
    """The 5-grams that texts are compared by: without the task's wording where that is most of a text.

    Kept are counters of the wordings; the grams themselves are made anew for the few texts that are compared.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.common = count_common(texts)
        self.known: dict[int, Words] = {}

    def of(self, index: int) -> Words:
        """The sorted 5-grams of a text."""
        if index not in self.known:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            text = plain_text(self.texts[index])[:LONGEST]
            batch = pack_texts([text])
            self.known[index] = np.unique(self.choose(batch, [text])[0])
        return self.known[index]

    def choose(self, batch: Batch, texts: Sequence[str]) -> tuple[Words, Places]:
        """(hash, row) of the 5-grams of a batch that count."""
        codes_G, rows_G = hash_grams(batch, GRAM)
        if not self.common.any():
            return codes_G, rows_G
        kept_G = np.ones(len(codes_G), dtype=bool)
        ends = np.cumsum(np.bincount(rows_G, minlength=len(texts)))
        for size, places in split_sizes(texts):
            longer = Batch(batch.codes_N, batch.starts_R[places], batch.sizes_R[places])
            long_G, long_rows_G = hash_grams(longer, size)
            shared_G = self.common[slot_grams(long_G)]
            for place in np.unique(long_rows_G[shared_G]):
                row = places[place]
                start = ends[row - 1] if row else 0
                kept_G[start : ends[row]] = choose_own(codes_G[start : ends[row]], shared_G[long_rows_G == place])
        return codes_G[kept_G], rows_G[kept_G]


def choose_own(codes_G: Words, shared: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which 5-grams of a text count. `shared`: which of its long grams many texts have."""
    every = np.ones(len(codes_G), dtype=bool)
    if len(shared) >= len(codes_G):
        return every
    size = len(codes_G) + GRAM - len(shared)
    covered = np.convolve(shared, np.ones(size, dtype=int)) > 0
    own = np.convolve(covered, np.ones(GRAM, dtype=int), "valid") < GRAM
    return own if OWN_GRAMS <= len(np.unique(codes_G[own])) < OWN_SHARE * len(codes_G) else every


def split_sizes(texts: Sequence[str]) -> list[tuple[int, Places]]:
    """(length of a wording, the places of the texts that it is for): Chinese says as much in half the signs."""
    chinese = np.array([2 * count_han(text) > len(text) for text in texts], dtype=bool)
    found = ((WORDING, np.flatnonzero(~chinese)), (WORDING_HAN, np.flatnonzero(chinese)))
    return [(size, places) for size, places in found if len(places)]


def count_common(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Counter -> whether the wording that it counts is one that many texts share."""
    counts = np.zeros(1 << SLOTS, dtype=np.int32)
    for part in cut_batches(texts):
        batch = pack_texts(part)
        for size, places in split_sizes(part):
            chosen = Batch(batch.codes_N, batch.starts_R[places], batch.sizes_R[places])
            add_slots(counts, *hash_grams(chosen, size))
    return counts > max(COMMON_ROWS, COMMON_SHARE * len(texts))


def cut_batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts as they are compared, so many at a time as make good arrays."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(plain_text(text)[:LONGEST])
        size += len(part[-1])
        if size >= BATCH or len(part) >= BATCH_ROWS:
            yield part
            part, size = [], 0
    if part:
        yield part


def propose_groups(grams: Grams) -> Iterator[list[int]]:
    """Groups of indices whose signatures agree in all rows of one band."""
    keys = [make_keys(*grams.choose(pack_texts(part), part), len(part)) for part in cut_batches(grams.texts)]
    if not keys:
        return
    table = np.concatenate(keys)
    for band in range(BANDS):
        column = table[:, band]
        order = np.argsort(column, kind="stable")
        bounds = np.flatnonzero(np.diff(column[order])) + 1
        for start, end in pairwise([0, *bounds.tolist(), len(order)]):
            if end - start > 1:
                yield order[start:end].tolist()


class Links:
    """Union-find over texts, joined where the exact Jaccard similarity of their 5-grams reaches the threshold."""

    def __init__(self, grams: Grams, threshold: float) -> None:
        self.grams = grams
        self.threshold = threshold
        self.parents = list(range(len(grams.texts)))
        self.apart: set[tuple[int, int]] = set()

    def find(self, index: int) -> int:
        """The root of the group that `index` is in."""
        while self.parents[index] != index:
            self.parents[index] = self.parents[self.parents[index]]
            index = self.parents[index]
        return index

    def join_bucket(self, bucket: list[int]) -> None:
        """Join those of the bucket that are similar. Rows of one group are not compared again."""
        groups: dict[int, list[int]] = {}
        for one in bucket:
            near = [root for root in groups if self.belongs(one, groups[root])]
            members = groups.pop(near[0]) if near else []
            for root in near[1:]:
                members += groups.pop(root)
            for root in near:
                self.parents[self.find(root)] = self.find(one)
            members.append(one)
            groups[one] = members

    def belongs(self, one: int, members: list[int]) -> bool:
        """Whether a text is in the group of `members` or similar to one of them."""
        return self.find(one) == self.find(members[0]) or any(self.are_similar(one, other) for other in members)

    def are_similar(self, one: int, other: int) -> bool:
        """Whether the exact Jaccard similarity of two texts reaches the threshold."""
        if (other, one) in self.apart:
            return False
        first, second = self.grams.of(one), self.grams.of(other)
        shared = len(np.intersect1d(first, second, assume_unique=True))
        total = len(first) + len(second) - shared
        if shared >= self.threshold * total:
            return True
        self.apart.add((other, one))
        return False
