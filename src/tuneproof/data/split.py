"""Rows -> train, select, test: whole duplicate clusters on one side, each side a fair picture of the others.

Rows are stratified by task, language, type of answer and length; in each stratum the clusters are ranked by a keyed
hash of their id, the first go to test, the last to select, the rest to train. The rank of a row does not depend on its
place in the file or on how many rows follow, so that appended rows move few (docs/evidence.md, rules 15 to 17), and
none where the sides that rows had are given.

    split = split_rows(rows, cluster_rows(rows), seed=0, sizes=SplitSizes())
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np

from tuneproof.data.findings import make_case, note_defect
from tuneproof.data.likeness import compare_sides
from tuneproof.data.near import group_texts
from tuneproof.data.store import Picked, list_ids
from tuneproof.data.traits import Cases, gather_cases
from tuneproof.records import Finding, Likeness, Row, Split, SplitRow
from tuneproof.records.data import Side

FEWEST_FOR_TEST = 60
"""Rows; fewer leave a test split of under 20, which can show nothing."""
SMALLEST_STRATUM = 20
"""Rows; smaller strata join the next coarser one: their share of a side would be one row or none."""
LENGTHS = (30, 90, 270, 810, 2430)
"""Characters where one class of lengths ends and the next begins. Fixed: else each row would move them."""
LENGTHS_NAMED = [f"<{length}" for length in LENGTHS] + [f">={LENGTHS[-1]}"]
TOLERANCE = 0.02
"""How far a stratum's share of a side may be off, so that rows that are added rarely push others over."""
RowKey = tuple[str, str, str, str]
"""Task, language, type of answer, class of length."""


@dataclass(frozen=True)
class SplitSizes:
    """How many rows select and test get (docs/evidence.md, rule 17). Shares are 0 to 1 of all rows."""

    select_share: float = 0.1
    test_share: float = 0.15
    minimum_test: int = 100
    maximum_test: int = 200
    minimum_select: int = 50


class Cluster(NamedTuple):
    """Rows that go to one side together."""

    name: str
    stratum: str
    size: int


def count_sides(rows: int, sizes: SplitSizes) -> tuple[int, int]:
    """(select, test) rows out of `rows`. Train keeps at least half; below 60 rows there is no test."""
    test = min(max(round(sizes.test_share * rows), sizes.minimum_test), sizes.maximum_test)
    select = max(round(sizes.select_share * rows), sizes.minimum_select)
    if rows < FEWEST_FOR_TEST:
        return min(select, rows // 6), 0
    if select + test > rows // 2:
        shrink = rows // 2 / (select + test)
        return int(select * shrink), int(test * shrink)
    return select, test


def split_rows(
    rows: Sequence[Row],
    clusters: Mapping[str, str],
    *,
    seed: int,
    sizes: SplitSizes,
    earlier: Mapping[str, Side] | None = None,
    keys: Mapping[str, RowKey] | None = None,
) -> Split:
    """The side of each row. `clusters`: row id -> cluster id, as `cluster_rows` gives them.

    `earlier`: row id -> side in the run that is gone on from. These rows keep their sides and only the others are
    placed; where a cluster has rows of several, all of it goes to test, or else to select: no test row moves to train.
    `keys`: what strata are made of, by row id, where it is known.
    """
    ids = list_ids(rows)
    strata = choose_strata({name: keys[name] for name in ids} if keys else describe_rows(rows))
    select, test = count_sides(len(rows), sizes)
    ranked = rank_clusters(ids, clusters, strata, seed)
    kept = keep_sides(ids, clusters, earlier or {})
    tested = take_clusters([one for one in ranked if kept.get(one.name, "test") == "test"], test, kept)
    # Select is taken from the other end: else a test split at its maximum would shift it with every row that is added.
    rest = [one for one in reversed(ranked) if one.name not in tested and kept.get(one.name, "select") == "select"]
    sides: dict[str, Side] = {
        **dict.fromkeys(take_clusters(rest, select, kept), "select"),
        **dict.fromkeys(tested, "test"),
    }
    placed = {
        name: SplitRow(cluster=clusters[name], stratum=strata[name], side=sides.get(clusters[name], "train"))
        for name in ids
    }
    made = summarize_split(rows, placed, seed)
    made.moved = {
        name: [side, placed[name].side]
        for name, side in (earlier or {}).items()
        if name in placed and placed[name].side != side
    }
    return made


def keep_sides(ids: Sequence[str], clusters: Mapping[str, str], earlier: Mapping[str, Side]) -> dict[str, Side]:
    """Cluster -> the side that its rows had; of several, the one that is most to be kept from training."""
    order: tuple[Side, ...] = ("test", "select", "train")
    kept: dict[str, Side] = {}
    for one in ids:
        side = earlier.get(one)
        if side is not None:
            name = clusters[one]
            kept[name] = min(side, kept.get(name, "train"), key=order.index)
    return kept


def choose_strata(keys: Mapping[str, RowKey]) -> dict[str, str]:
    """Row id -> stratum: task/language/answer type/length, or as many of these as 20 rows share. `keys`: by row id."""
    left = Counter(keys.values())
    strata: dict[RowKey, str] = {}
    for depth in (4, 3, 2, 1, 0):
        counts = Counter[tuple[str, ...]]()
        for key, count in left.items():
            counts[key[:depth]] += count
        for key in list(left):
            if counts[key[:depth]] >= SMALLEST_STRATUM or not depth:
                strata[key] = "/".join(key[:depth]) or "rest"
                del left[key]
    return {name: strata[key] for name, key in keys.items()}


def describe_rows(rows: Sequence[Row]) -> dict[str, RowKey]:
    """Row id -> (task, language, type of answer, class of length)."""
    return describe_cases(gather_cases(rows))


def describe_cases(cases: Cases) -> dict[str, RowKey]:
    """As `describe_rows`, of cases, whose traits are known."""
    sizes = np.searchsorted(LENGTHS, cases.traits["size"], side="right")
    ids = list_ids(cases.take_rows())
    known: dict[tuple[int, int], RowKey] = {}
    keys = {}
    for name, kind, size in zip(ids, cases.traits["class"].tolist(), sizes.tolist(), strict=True):
        key = known.get((kind, size))
        if key is None:
            key = known[kind, size] = (*cases.classes[kind], LENGTHS_NAMED[size])
        keys[name] = key
    return keys


def rank_clusters(
    ids: Sequence[str], clusters: Mapping[str, str], strata: Mapping[str, str], seed: int
) -> list[Cluster]:
    """All clusters in the order of a keyed hash. A cluster belongs to the stratum of its row with the smallest id."""
    counts = Counter(clusters[name] for name in ids)
    heads = {clusters[name]: name for name in sorted(ids, reverse=True)}
    found = [Cluster(name, strata[head], counts[name]) for name, head in heads.items()]
    return sorted(found, key=lambda cluster: hashlib.sha256(f"{seed}:{cluster.name}".encode()).digest())


def take_clusters(ranked: Sequence[Cluster], wanted: int, kept: Container[str] = ()) -> set[str]:
    """The ids of clusters with `wanted` rows in all: the first of `ranked`, as far as strata keep their shares.

    A cluster above a tenth of the wanted rows would speak for too many and is passed over. Those in `kept` are in.
    """
    fair = [cluster for cluster in ranked if cluster.size <= max(1, wanted // 10)]
    totals = Counter[str]()
    for cluster in fair:
        totals[cluster.stratum] += cluster.size
    every, slack = max(1, totals.total()), max(1.0, TOLERANCE * wanted)
    held, taken = Counter[str](), {cluster.name for cluster in ranked if cluster.name in kept}
    for cluster in ranked:
        held[cluster.stratum] += cluster.size if cluster.name in taken else 0
    left = wanted - held.total()
    for bound in (-slack, slack):
        for cluster in fair:
            if left <= 0:
                return taken
            room = wanted * totals[cluster.stratum] / every + bound - held[cluster.stratum]
            if cluster.size <= min(room, left) and cluster.name not in taken:
                taken.add(cluster.name)
                held[cluster.stratum] += cluster.size
                left -= cluster.size
    return taken


def summarize_split(rows: Sequence[Row], placed: dict[str, SplitRow], seed: int) -> Split:
    """The record of a split, with how well select and test stand for train."""
    names: tuple[Side, ...] = get_args(Side)
    places: dict[Side, list[int]] = {side: [] for side in names}
    strata: dict[str, dict[Side, int]] = {}
    for at, name in enumerate(list_ids(rows)):
        place = placed[name]
        strata.setdefault(place.stratum, dict.fromkeys(names, 0))[place.side] += 1
        places[place.side].append(at)
    sides = {side: Picked(rows, found) for side, found in places.items()}
    likeness: dict[Side, Likeness] = {}
    for side in names:
        if side != "train" and sides[side] and sides["train"]:
            shares = {
                name: (count[side] / len(sides[side]), count["train"] / len(sides["train"]))
                for name, count in strata.items()
            }
            likeness[side] = compare_sides(sides[side], sides["train"], shares)
    tested = likeness.get("test")
    return Split(
        seed=seed,
        rows=placed,
        sizes={side: len(members) for side, members in sides.items()},
        clusters=len({place.cluster for place in placed.values()}),
        largest_stratum_gap=tested.largest_gap if tested else None,
        length_distance=tested.length_distance if tested else None,
        strata=strata,
        likeness=likeness,
    )


def compare_own(test: Sequence[Row], train: Sequence[Row]) -> Likeness | None:
    """How well the user's own test file stands for train; None where either has no row."""
    if not test or not train:
        return None
    strata = choose_strata(describe_rows(train) | describe_rows(test))
    counts = [Counter(strata[name] for name in list_ids(rows)) for rows in (test, train)]
    names = sorted(counts[0].keys() | counts[1].keys())
    shares = {name: (counts[0][name] / len(test), counts[1][name] / len(train)) for name in names}
    return compare_sides(test, train, shares)


def check_leaks(train: Sequence[Row], test: Sequence[Row]) -> list[Finding]:
    """A finding for each training row whose question is nearly that of a row of the user's own test file."""
    groups = group_texts([make_case(row).prompt for row in (*train, *test)])
    tested: dict[int, Row] = {}
    for row, group in zip(test, groups[len(train) :], strict=True):
        tested.setdefault(group, row)
    return [
        note_defect(
            make_case(row),
            "near_duplicate",
            "error",
            related=[tested[group].line],
            variant="leak",
            other=tested[group].line,
        )
        for row, group in zip(train, groups, strict=False)
        if group in tested
    ]
