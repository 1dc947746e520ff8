"""Rows -> train, select, test: whole duplicate clusters on one side, each side a fair picture of the others.

Rows are stratified by task, language, type of answer and length; in each stratum the clusters are ranked by a keyed
hash of their id, the first go to test, the next to select, the rest to train. The rank of a row does not depend on its
place in the file or on how many rows follow, so that appended rows move next to none (docs/evidence.md, rules
15 to 17).

    split = split_rows(rows, cluster_rows(rows), seed=0, sizes=SplitSizes())
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np

from tuneproof.data.copies import read_value
from tuneproof.data.findings import make_case, note_defect
from tuneproof.data.language import guess_language, width
from tuneproof.data.near import group_texts
from tuneproof.records import Finding, Row, Split, SplitRow
from tuneproof.records.data import Side

FEWEST_FOR_TEST = 60
"""Rows; fewer leave a test split of under 20, which can show nothing."""
SMALLEST_STRATUM = 20
"""Rows; smaller strata join the next coarser one: their share of a side would be one row or none."""
TOLERANCE = 0.015
"""How far a stratum's share of a side may be off, so that rows that are added rarely push others over."""
SHORT_ANSWER = 60
NUMBER = re.compile(r"[-+]?[$€£¥]?\s?\d[\d,]*(?:\.\d+)?\s?%?")


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


def split_rows(rows: Sequence[Row], clusters: Mapping[str, str], *, seed: int, sizes: SplitSizes) -> Split:
    """The side of each row. `clusters`: row id -> cluster id, as `cluster_rows` gives them."""
    strata = choose_strata(rows)
    select, test = count_sides(len(rows), sizes)
    ranked = rank_clusters(rows, clusters, strata, seed)
    sides: dict[str, Side] = dict.fromkeys(take_clusters(ranked, test), "test")
    # Select is taken from the other end: else a test split at its maximum would shift it with every row that is added.
    rest = [cluster for cluster in reversed(ranked) if cluster.name not in sides]
    sides |= dict.fromkeys(take_clusters(rest, select), "select")
    placed = {
        row.id: SplitRow(cluster=clusters[row.id], stratum=strata[row.id], side=sides.get(clusters[row.id], "train"))
        for row in rows
    }
    return summarize_split(rows, placed, seed)


def choose_strata(rows: Sequence[Row]) -> dict[str, str]:
    """Row id -> stratum: task/language/answer type/length, or as many of these as 20 rows share."""
    left = dict(zip((row.id for row in rows), describe_rows(rows), strict=True))
    strata: dict[str, str] = {}
    for depth in (4, 3, 2, 1, 0):
        counts = Counter(key[:depth] for key in left.values())
        chosen = {
            name: key[:depth] for name, key in left.items() if counts[key[:depth]] >= SMALLEST_STRATUM or not depth
        }
        strata |= {name: "/".join(key) or "rest" for name, key in chosen.items()}
        left = {name: key for name, key in left.items() if name not in chosen}
    return strata


def describe_rows(rows: Sequence[Row]) -> list[tuple[str, str, str, str]]:
    """(task, language, type of answer, third of the task's lengths) of each row."""
    lengths: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        lengths[row.task].append(measure_row(row))
    thirds = {task: np.quantile(values, [1 / 3, 2 / 3]) for task, values in lengths.items()}
    described = []
    for row in rows:
        third = int(np.searchsorted(thirds[row.task], measure_row(row)))
        case = make_case(row)
        language = guess_language(case.prompt + case.answer)
        described.append((row.task, language, name_answer(case.answer), ("short", "middle", "long")[third]))
    return described


def measure_row(row: Row) -> int:
    """Characters of all turns."""
    return sum(len(message.content) for message in row.messages)


def name_answer(answer: str) -> str:
    """The type of an answer: json, number, phrase or text."""
    if read_value(answer) is not None:
        return "json"
    if NUMBER.fullmatch(answer.strip()):
        return "number"
    return "phrase" if width(answer) <= SHORT_ANSWER else "text"


def rank_clusters(
    rows: Sequence[Row], clusters: Mapping[str, str], strata: Mapping[str, str], seed: int
) -> list[Cluster]:
    """All clusters in the order of a keyed hash. A cluster belongs to the stratum of its row with the smallest id."""
    counts = Counter(clusters[row.id] for row in rows)
    heads = {clusters[row.id]: row.id for row in sorted(rows, key=lambda row: row.id, reverse=True)}
    found = [Cluster(name, strata[head], counts[name]) for name, head in heads.items()]
    return sorted(found, key=lambda cluster: hashlib.sha256(f"{seed}:{cluster.name}".encode()).digest())


def take_clusters(ranked: Sequence[Cluster], wanted: int) -> set[str]:
    """The ids of clusters with `wanted` rows in all: the first of `ranked`, as far as strata keep their shares.

    A cluster above a tenth of the wanted rows would speak for too many and is passed over.
    """
    fair = [cluster for cluster in ranked if cluster.size <= max(1, wanted // 10)]
    totals = Counter[str]()
    for cluster in fair:
        totals[cluster.stratum] += cluster.size
    every, slack = max(1, totals.total()), max(1.0, TOLERANCE * wanted)
    held, taken = Counter[str](), set[str]()
    for bound in (-slack, slack):
        for cluster in fair:
            room = wanted * totals[cluster.stratum] / every + bound - held[cluster.stratum]
            if cluster.size <= min(room, wanted - held.total()) and cluster.name not in taken:
                taken.add(cluster.name)
                held[cluster.stratum] += cluster.size
    return taken


def summarize_split(rows: Sequence[Row], placed: dict[str, SplitRow], seed: int) -> Split:
    """The record of a split, with how well test stands for train."""
    names: tuple[Side, ...] = get_args(Side)
    sizes: dict[Side, int] = dict.fromkeys(names, 0)
    strata: dict[str, dict[Side, int]] = {}
    lengths: dict[Side, list[int]] = {side: [] for side in names}
    for row in rows:
        place = placed[row.id]
        sizes[place.side] += 1
        strata.setdefault(place.stratum, dict.fromkeys(names, 0))[place.side] += 1
        lengths[place.side].append(measure_row(row))
    gap = distance = None
    if sizes["test"] and sizes["train"]:
        gap = max(abs(share["test"] / sizes["test"] - share["train"] / sizes["train"]) for share in strata.values())
        distance = measure_distance(lengths["test"], lengths["train"])
    clusters = len({place.cluster for place in placed.values()})
    return Split(
        seed=seed,
        rows=placed,
        sizes=sizes,
        clusters=clusters,
        largest_stratum_gap=gap,
        length_distance=distance,
        strata=strata,
    )


def measure_distance(first: Sequence[int], second: Sequence[int]) -> float:
    """Kolmogorov-Smirnov distance of two samples: the largest difference of their cumulative shares, 0 to 1."""
    values = np.unique([*first, *second])
    shares = [np.searchsorted(np.sort(sample), values, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


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
