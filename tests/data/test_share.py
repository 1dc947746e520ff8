"""Shares of the training rows: nested, whole clusters, every task in its proportion."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tuneproof.data.share import cut_rows
from tuneproof.records import Message, Row


def make_row(number: int, task: str) -> Row:
    said = [Message(role="user", content=f"q{number}"), Message(role="assistant", content="a")]
    return Row(id=f"r{number:04d}", file="rows.jsonl", line=number + 1, task=task, messages=said)


ROWS = [make_row(n, "big" if n % 4 else "small") for n in range(400)]


def test_a_share_of_every_task_in_the_order_of_the_file() -> None:
    cut = cut_rows(ROWS, {}, 0.25, seed=17)
    assert Counter(row.task for row in cut) == {"big": 75, "small": 25}
    assert [row.line for row in cut] == sorted(row.line for row in cut)
    assert cut_rows(ROWS, {}, 1.0, seed=17) == ROWS


def test_another_seed_takes_other_rows() -> None:
    assert cut_rows(ROWS, {}, 0.5, seed=17) != cut_rows(ROWS, {}, 0.5, seed=18)
    assert cut_rows(ROWS, {}, 0.5, seed=17) == cut_rows(ROWS, {}, 0.5, seed=17)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=40),
    shares=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    seed=st.integers(0, 99),
)
def test_smaller_shares_lie_in_larger_ones_and_clusters_stay_whole(
    sizes: list[int], shares: tuple[float, float], seed: int
) -> None:
    clusters = {
        f"r{n:04d}": f"c{cluster}" for n, cluster in enumerate(c for c, size in enumerate(sizes) for _ in range(size))
    }
    rows = [make_row(n, "t") for n in range(len(clusters))]
    small, large = ({row.id for row in cut_rows(rows, clusters, share, seed)} for share in sorted(shares))
    assert small <= large
    for members in ({row for row, name in clusters.items() if name == cluster} for cluster in set(clusters.values())):
        assert members <= small or not members & small
    assert abs(len(large) - max(shares) * len(rows)) <= max(sizes)


def test_a_task_of_one_row_comes_in_at_the_half() -> None:
    rows = [*ROWS[:8], make_row(999, "rare")]
    assert [any(row.task == "rare" for row in cut_rows(rows, {}, share, 1)) for share in (0.25, 0.5)] == [False, True]


def test_a_cluster_over_two_tasks_goes_as_one() -> None:
    rows = [make_row(0, "a"), make_row(1, "b"), *(make_row(n, "a") for n in range(2, 10))]
    clusters = {"r0000": "twins", "r0001": "twins"}
    for seed in range(20):
        taken = {row.id for row in cut_rows(rows, clusters, 0.4, seed)}
        assert ("r0000" in taken) == ("r0001" in taken)
    assert cut_rows([], {}, 0.5, 1) == []
