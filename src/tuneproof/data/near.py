"""Near-duplicate questions -> clusters, so that a split never has a row's twin on its other side.

MinHash signatures propose pairs, the exact Jaccard similarity of character 5-grams decides, union-find joins
what touches (Lee et al., arXiv 2107.06499; docs/evidence.md, rule 16). Characters, because one word changed in forty
moves a fifth of the word 5-grams, and because Chinese has no spaces. Where most of a row is wording that many rows
share (one long instruction, short inputs), rows are compared by what is their own.

    cluster_rows(rows)  # {"0f3a…": "0f3a…", "77b1…": "0f3a…"}: row id -> smallest row id of its cluster
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

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
from tuneproof.data.language import count_han, fold_text
from tuneproof.data.store import list_ids
from tuneproof.data.traits import digest_text
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
REMEMBERED = 4_000_000
"""Grams (8 bytes each) that are kept while texts are compared with each other."""
AT_ONCE = 500
"""Groups of texts that are compared after their grams were made together."""
SAMPLE = 10_000
"""Texts that the wording of a task is learnt from; a share of 2 % of so many is known to a seventh of a point."""
Signer = Callable[["Grams", Places], Words]
"""(grams, indices of texts, ascending) -> their band keys."""


def cluster_rows(rows: Sequence[Row], threshold: float = THRESHOLD) -> dict[str, str]:
    """Row id -> cluster id, the smallest row id of the cluster.

    `threshold`: Jaccard similarity (0 to 1) of the questions' character 5-grams from which two rows are joined.
    """
    return name_clusters(list_ids(rows), group_texts([make_case(row).prompt for row in rows], threshold))


def name_clusters(ids: Sequence[str], groups: Sequence[int]) -> dict[str, str]:
    """Row id -> smallest row id of its group. `groups`: for each row the number of its group."""
    smallest: dict[int, str] = {}
    for name, group in zip(ids, groups, strict=True):
        smallest[group] = min(name, smallest.get(group, name))
    return {name: smallest[group] for name, group in zip(ids, groups, strict=True)}


def group_texts(texts: Sequence[str], threshold: float = THRESHOLD) -> list[int]:
    """For each text the index of the first text of its group; a chain of near-duplicates is one group."""
    digests = np.array([digest_text(fold_text(text)) for text in texts], dtype=np.uint64)
    groups: list[int] = group_digests(texts, digests, threshold).tolist()
    return groups


def group_digests(texts: Sequence[str], digests: Words, threshold: float, sign: Signer | None = None) -> Places:
    """As `group_texts`, of texts whose digests are known. `sign`: makes the band keys of some of them."""
    ordered, firsts, same = np.unique(digests, return_index=True, return_inverse=True)
    # A sample that does not depend on the order of the texts: those with the smallest digests.
    sample = np.sort(firsts[: SAMPLE if len(ordered) > SAMPLE else None]).tolist()
    grams = Grams(texts, count_common([texts[index] for index in sample]))
    distinct = np.sort(firsts)
    keys = sign(grams, distinct) if sign else sign_texts(grams, [texts[index] for index in distinct.tolist()])
    links = Links(grams, threshold)
    links.join_buckets(distinct[bucket].tolist() for bucket in propose_groups(keys))
    joined = sorted(links.parents.keys() | set(links.parents.values()))
    heads: dict[int, int] = {}
    for index in joined:
        heads.setdefault(links.find(index), index)
    group_of = np.arange(len(digests))
    group_of[joined] = [heads[links.find(index)] for index in joined]
    return group_of[firsts][same]


class Grams:
    """The 5-grams that texts are compared by: without the task's wording where that is most of a text.

    Kept are marks of the wordings; the grams themselves are made anew for the few texts that are compared.
    """

    def __init__(self, texts: Sequence[str], common: npt.NDArray[np.bool_]) -> None:
        self.texts = texts
        self.common = common
        self.known: dict[int, Words] = {}
        self.held = 0

    def of(self, index: int) -> Words:
        """The sorted 5-grams of a text."""
        if index not in self.known:
            self.make([index])
        return self.known[index]

    def make(self, indices: Sequence[int]) -> None:
        """Make the 5-grams of several texts at once, which takes a tenth of the time."""
        if self.held > REMEMBERED:
            self.known.clear()
            self.held = 0
        missing = [index for index in indices if index not in self.known]
        done = 0
        for part in cut_batches(self.texts[index] for index in missing):
            codes_G, rows_G = self.choose(pack_texts(part), part)
            for codes in np.split(codes_G, np.searchsorted(rows_G, np.arange(1, len(part)))):
                self.known[missing[done]] = sort_once(codes)
                self.held += len(self.known[missing[done]])
                done += 1

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
            bounds = np.searchsorted(long_rows_G, np.arange(len(places) + 1))
            for place in np.unique(long_rows_G[shared_G]):
                row = places[place]
                start = ends[row - 1] if row else 0
                shared = shared_G[bounds[place] : bounds[place + 1]]
                kept_G[start : ends[row]] = choose_own(codes_G[start : ends[row]], shared)
        return codes_G[kept_G], rows_G[kept_G]


def choose_own(codes_G: Words, shared: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which 5-grams of a text count. `shared`: which of its long grams many texts have."""
    every = np.ones(len(codes_G), dtype=bool)
    if len(shared) >= len(codes_G):
        return every
    size = len(codes_G) + GRAM - len(shared)
    covered = np.convolve(shared, np.ones(size, dtype=int)) > 0
    own = np.convolve(covered, np.ones(GRAM, dtype=int), "valid") < GRAM
    return own if OWN_GRAMS <= len(sort_once(codes_G[own])) < OWN_SHARE * len(codes_G) else every


def sort_once(codes_G: Words) -> Words:
    """The grams in order, each once; np.unique would take four times as long on arrays of this size."""
    ordered = np.sort(codes_G)
    once: Words = ordered[np.diff(ordered, prepend=~ordered[:1]) != 0]
    return once


def split_sizes(texts: Sequence[str]) -> list[tuple[int, Places]]:
    """(length of a wording, the places of the texts that it is for): Chinese says as much in half the signs."""
    chinese = np.array([2 * count_han(text) > len(text) for text in texts], dtype=bool)
    found = ((WORDING, np.flatnonzero(~chinese)), (WORDING_HAN, np.flatnonzero(chinese)))
    return [(size, places) for size, places in found if len(places)]


def count_common(texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Counter -> whether the wording that it counts is one that many of the texts share."""
    counts = np.zeros(1 << SLOTS, dtype=np.int32)
    for part in cut_batches(texts):
        batch = pack_texts(part)
        for size, places in split_sizes(part):
            chosen = Batch(batch.codes_N, batch.starts_R[places], batch.sizes_R[places])
            add_slots(counts, *hash_grams(chosen, size))
    return counts > max(COMMON_ROWS, COMMON_SHARE * len(texts))


def cut_batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts as they are compared, so many at a time as make good arrays."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(fold_text(text)[:LONGEST])
        size += len(part[-1])
        if size >= BATCH or len(part) >= BATCH_ROWS:
            yield part
            part, size = [], 0
    if part:
        yield part


def sign_texts(grams: Grams, texts: Iterable[str]) -> Words:
    """The band keys of texts (texts x bands)."""
    keys = [make_keys(*grams.choose(pack_texts(part), part), len(part)) for part in cut_batches(texts)]
    return np.concatenate(keys) if keys else np.zeros((0, BANDS), dtype=np.uint64)


def propose_groups(keys: Words) -> Iterator[Places]:
    """Groups of places that agree in all rows of one band. `keys`: texts x bands."""
    for band in range(BANDS):
        column = keys[:, band]
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        again = np.flatnonzero(ordered[1:] == ordered[:-1])
        for run in np.split(again, np.flatnonzero(np.diff(again) > 1) + 1):
            if len(run):
                yield order[run[0] : run[-1] + 2]


class Links:
    """Union-find over texts, joined where the exact Jaccard similarity of their 5-grams reaches the threshold."""

    def __init__(self, grams: Grams, threshold: float) -> None:
        self.grams = grams
        self.threshold = threshold
        self.parents: dict[int, int] = {}
        """Of the texts that were joined to another; a text that is its own root need not be there."""
        self.apart: set[tuple[int, int]] = set()

    def find(self, index: int) -> int:
        """The root of the group that `index` is in."""
        while (parent := self.parents.get(index, index)) != index:
            self.parents[index] = self.parents.get(parent, parent)
            index = parent
        return index

    def join_buckets(self, buckets: Iterable[list[int]]) -> None:
        """Join those of each bucket that are similar."""
        waiting: list[list[int]] = []
        for bucket in buckets:
            if len({self.find(index) for index in bucket}) > 1:
                waiting.append(bucket)
            if sum(map(len, waiting[-1:])) > AT_ONCE or len(waiting) >= AT_ONCE:
                self._join(waiting)
                waiting = []
        self._join(waiting)

    def _join(self, buckets: list[list[int]]) -> None:
        self.grams.make(list({index: None for bucket in buckets for index in bucket[:AT_ONCE]}))
        for bucket in buckets:
            self.join_bucket(bucket)

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
