"""Near-duplicate questions -> clusters, so that a split never has a row's twin on its other side.

MinHash signatures (rensa) propose pairs, the exact Jaccard similarity of character 5-grams decides, union-find joins
what touches (Lee et al., arXiv 2107.06499; docs/evidence.md, rule 16). Characters, because one word changed in forty
moves a fifth of the word 5-grams, and because Chinese has no spaces. Where most of a row is wording that many rows
share (one long instruction, short inputs), rows are compared by what is their own.

    cluster_rows(rows)  # {"0f3a…": "0f3a…", "77b1…": "0f3a…"}: row id -> smallest row id of its cluster
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from tuneproof.data.findings import make_case
from tuneproof.data.language import count_han
from tuneproof.records import Row

THRESHOLD = 0.8
GRAM = 5
LONGEST = 20_000
"""Characters of a question that are compared."""
BANDS, BAND_ROWS = 21, 6
"""Pairs at similarity s are proposed with probability 1 - (1 - s^6)^21: 0.998 at 0.8, 0.28 at 0.5."""
SEED = 20
WORDING, WORDING_HAN = 20, 10
"""Characters in a row that many rows share are a task's wording; words alone are shared by all rows of a trade."""
COMMON_ROWS, COMMON_SHARE = 20, 0.02
"""Many: more rows than both."""
OWN_GRAMS, OWN_SHARE = 5, 0.5
"""A row is compared by its own 5-grams if it has so many of them, and if they are less than this share of all."""
Grams = npt.NDArray[np.uint64]
NONE: Grams = np.array([], dtype=np.uint64)


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
    first: dict[str, int] = {}
    plain = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    same = [first.setdefault(text, index) for index, text in enumerate(plain)]
    place = {index: number for number, index in enumerate(first.values())}
    grams = list_grams([text[:LONGEST] for text in first])
    links = Links(grams, threshold)
    for bucket in propose_groups(grams):
        links.join_bucket(bucket)
    heads: dict[int, int] = {}
    groups = [heads.setdefault(links.find(number), index) for index, number in place.items()]
    return [groups[place[index]] for index in same]


def list_grams(texts: Sequence[str]) -> list[Grams]:
    """The sets of 5-grams that texts are compared by: without the task's wording where that is most of a text."""
    hashed = [hash_grams(text, WORDING_HAN if 2 * count_han(text) > len(text) else WORDING) for text in texts]
    values, counts = np.unique(np.concatenate([np.unique(row) for row in hashed] or [NONE]), return_counts=True)
    common = values[counts > max(COMMON_ROWS, COMMON_SHARE * len(texts))]
    return [choose_grams(text, np.isin(row, common)) for text, row in zip(texts, hashed, strict=True)]


def hash_grams(text: str, size: int) -> Grams:
    """The text's grams of `size` characters in their order, hashed to 64 bits; a shorter text is one gram."""
    from rensa import RMinHash

    grams = [text[at : at + size] for at in range(max(1, len(text) - size + 1))]
    return np.array(RMinHash.hash_token_sets([grams])[0], dtype=np.uint64)


def choose_grams(text: str, shared: npt.NDArray[np.bool_]) -> Grams:
    """The 5-grams that a text is compared by, sorted. `shared`: which of its long grams many texts have."""
    grams = hash_grams(text, GRAM)
    if shared.any() and len(shared) < len(grams):
        size = len(text) - len(shared) + 1
        covered = np.convolve(shared, np.ones(size, dtype=int)) > 0
        own = np.unique(grams[np.convolve(covered, np.ones(GRAM, dtype=int), "valid") < GRAM])
        if OWN_GRAMS <= len(own) < OWN_SHARE * len(grams):
            return own
    return np.unique(grams)


def propose_groups(grams: list[Grams]) -> Iterator[list[int]]:
    """Groups of indices whose MinHash signatures agree in all rows of one band."""
    from rensa import RMinHash

    if not grams:
        return
    matrix = RMinHash.digest_matrix_from_token_hash_sets([row.tolist() for row in grams], BANDS * BAND_ROWS, SEED)
    signatures = np.array(matrix.to_rows(), dtype=np.uint32)
    for band in np.split(signatures, BANDS, axis=1):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for index, key in enumerate(band):
            buckets[key.tobytes()].append(index)
        yield from (bucket for bucket in buckets.values() if len(bucket) > 1)


class Links:
    """Union-find over texts, joined where the exact Jaccard similarity of their 5-grams reaches the threshold."""

    def __init__(self, grams: list[Grams], threshold: float) -> None:
        self.grams = grams
        self.threshold = threshold
        self.parents = list(range(len(grams)))
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
        shared = len(np.intersect1d(self.grams[one], self.grams[other], assume_unique=True))
        total = len(self.grams[one]) + len(self.grams[other]) - shared
        if shared >= self.threshold * total:
            return True
        self.apart.add((other, one))
        return False
