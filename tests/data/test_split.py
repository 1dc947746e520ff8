"""The split: clusters whole, sides alike, sizes honest, rows that stay where they are."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean

import pytest

from tests.data.rows import make_row
from tuneproof.data.likeness import measure_distance
from tuneproof.data.near import cluster_rows
from tuneproof.data.split import SplitSizes, check_leaks, count_sides, split_rows
from tuneproof.records import Row, Split

STEMS = ("bar", "ket", "lim", "mon", "nur", "prad", "stol", "trin", "velk", "wend")
WORDS = [first + second for first in STEMS for second in STEMS]


def make_rows(count: int, seed: int = 0, twins: int = 0) -> list[Row]:
    """Rows of three tasks, two languages and several lengths; every `twins`th asks what the row before asked."""
    generator = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        words = " ".join(generator.choices(WORDS, k=generator.randint(5, 40)))
        task = generator.choices(["extract", "reply", "sum"], [5, 3, 2])[0]
        answer = {"extract": '{"a": 1}', "reply": "长城是中国古代的工程。" * 8, "sum": "42"}[task]
        if twins and number % twins == 1:
            words, task = rows[-1].question, rows[-1].task
        row = make_row(words, answer, number + 1, task)
        rows.append(row.model_copy(update={"id": f"{generator.getrandbits(48):012x}"}))
    return rows


def split(rows: Sequence[Row], seed: int = 0, sizes: SplitSizes | None = None) -> Split:
    return split_rows(rows, cluster_rows(rows), seed=seed, sizes=sizes or SplitSizes())


@pytest.mark.parametrize(
    ("rows", "select", "test"),
    [
        *((1, 0, 0), (20, 3, 0), (59, 9, 0), (60, 10, 20), (150, 25, 50), (299, 49, 99), (300, 50, 100)),
        *((500, 50, 100), (800, 80, 120), (1000, 100, 150), (1400, 140, 200), (10_000, 1000, 200)),
    ],
)
def test_sizes_follow_the_rule_and_train_keeps_half(rows: int, select: int, test: int) -> None:
    assert count_sides(rows, SplitSizes()) == (select, test)
    assert select + test <= max(rows / 2, 1)


@pytest.mark.parametrize("rows", [20, 60, 150, 300, 1000])
def test_the_sides_get_the_rows_they_were_promised(rows: int) -> None:
    select, test = count_sides(rows, SplitSizes())
    made = split(make_rows(rows))
    assert made.sizes == {"train": rows - select - test, "select": select, "test": test}
    assert sum(made.sizes.values()) == len(made.rows) == rows


def test_without_a_test_nothing_is_measured_on_it() -> None:
    made = split(make_rows(300), sizes=SplitSizes(minimum_test=0, maximum_test=0))
    assert (made.sizes["test"], made.sizes["select"]) == (0, 50)
    assert (made.largest_stratum_gap, made.length_distance) == (None, None)


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_is_never_on_two_sides(seed: int) -> None:
    rows = make_rows(600, seed, twins=4)
    made = split(rows, seed)
    sides = defaultdict(set)
    for place in made.rows.values():
        sides[place.cluster].add(place.side)
    assert made.clusters == len(sides) < 500
    assert all(len(found) == 1 for found in sides.values())
    by_question = defaultdict(set)
    for row in rows:
        by_question[row.question].add(made.rows[row.id].side)
    assert all(len(found) == 1 for found in by_question.values())


def test_a_cluster_too_large_to_be_fair_is_trained_on() -> None:
    rows = [*make_rows(300), *(make_row("Always the same question?", f"a{n}", 1000 + n) for n in range(60))]
    made = split(rows)
    assert {made.rows[row.id].side for row in rows[300:]} == {"train"}
    assert made.sizes["test"] == 100


@pytest.mark.parametrize("seed", range(5))
def test_test_and_train_are_alike(seed: int) -> None:
    rows = make_rows(1000, seed)
    made = split(rows, seed)
    assert made.largest_stratum_gap is not None
    assert made.length_distance is not None
    assert made.largest_stratum_gap < 0.03
    assert made.length_distance < 0.12
    for task in ("extract", "reply", "sum"):
        shares = [
            sum(row.task == task and made.rows[row.id].side == side for row in rows) / made.sizes[side]
            for side in ("train", "test")
        ]
        assert abs(shares[0] - shares[1]) < 0.06


def test_the_gap_is_that_of_the_strata() -> None:
    made = split(make_rows(1000))
    gaps = [
        abs(counts["test"] / made.sizes["test"] - counts["train"] / made.sizes["train"])
        for counts in made.strata.values()
    ]
    assert made.largest_stratum_gap == pytest.approx(max(gaps))
    assert sum(sum(counts.values()) for counts in made.strata.values()) == 1000


def test_the_order_of_the_file_does_not_matter() -> None:
    rows = make_rows(500, twins=5)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert split(rows).rows == split(shuffled).rows


def test_another_seed_is_another_split() -> None:
    rows = make_rows(500)
    assert split(rows, 0).rows != split(rows, 1).rows


@pytest.mark.parametrize(("appended", "average", "most"), [(0.01, 0.005, 0.01), (0.05, 0.01, 0.015)])
def test_appended_rows_move_few(appended: float, average: float, most: float) -> None:
    rows = 1000
    everything = make_rows(int(rows * (1 + appended)), twins=10)
    old, new = cluster_rows(everything[:rows]), cluster_rows(everything)
    moved = []
    for seed in range(8):
        before = split_rows(everything[:rows], old, seed=seed, sizes=SplitSizes()).rows
        after = split_rows(everything, new, seed=seed, sizes=SplitSizes()).rows
        moved.append(sum(after[name].side != place.side for name, place in before.items()) / rows)
    assert mean(moved) <= average
    assert max(moved) <= most


@pytest.mark.parametrize("appended", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_rows_keep_the_sides_they_are_known_to_have(appended: float, seed: int) -> None:
    """Whatever is appended, and shuffled; only a row that joins clusters may move one, and never from test to train."""
    rows = 800
    everything = make_rows(int(rows * (1 + appended)), seed, twins=10)
    before = split(everything[:rows], seed)
    shuffled = random.Random(seed).sample(everything, len(everything))
    sides = {name: place.side for name, place in before.rows.items()}
    after = split_rows(shuffled, cluster_rows(shuffled), seed=seed, sizes=SplitSizes(), earlier=sides)
    moved = {name for name, side in sides.items() if after.rows[name].side != side}
    assert moved == after.moved.keys()
    assert len(moved) <= 0.01 * rows
    assert not any(sides[name] == "test" for name in moved)
    assert after.largest_stratum_gap is not None
    assert after.largest_stratum_gap < 0.05
    _, test = count_sides(len(everything), SplitSizes())
    assert after.sizes["test"] >= test


def test_a_row_that_joins_two_clusters_moves_them_to_test_and_is_named() -> None:
    question = "Explain in a few sentences how a river shapes the valley through which it runs for thousands of years"
    first, last = f"{question}, first of all.", f"Now then: {question}"
    rows = [*make_rows(300), make_row(first, "a", 901), make_row(last, "b", 902)]
    sides = {name: place.side for name, place in split(rows).rows.items()}
    sides |= {rows[-2].id: "train", rows[-1].id: "test"}
    joined = [*rows, make_row(question, "c", 903)]
    clusters = cluster_rows(joined)
    assert len({clusters[row.id] for row in joined[-3:]}) == 1
    after = split_rows(joined, clusters, seed=0, sizes=SplitSizes(), earlier=sides)
    assert {after.rows[row.id].side for row in joined[-3:]} == {"test"}
    assert after.moved == {rows[-2].id: ["train", "test"]}


def test_leaks_into_the_users_test_file_are_named() -> None:
    question = "Explain in a few sentences how a river shapes the valley through which it runs."
    train = [make_row("Name a colour.", "Blue", 1), make_row(f"{question} Thanks!", "a", 2)]
    test = [make_row("Name a town.", "Bonn", 1), make_row(question, "b", 2)]
    (found,) = check_leaks(train, test)
    assert (found.kind, found.severity, found.line, found.related) == ("near_duplicate", "error", 2, [2])
    assert check_leaks(train[:1], test) == []


def test_the_distance_is_that_of_kolmogorov_and_smirnov() -> None:
    from scipy.stats import ks_2samp

    generator = random.Random(3)
    first = [generator.randint(1, 50) for _ in range(80)]
    second = [generator.randint(10, 90) for _ in range(200)]
    assert measure_distance(first, second) == pytest.approx(ks_2samp(first, second).statistic)
