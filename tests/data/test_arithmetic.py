"""Sums in answers, computed again."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.arithmetic import find_wrong_arithmetic, find_wrong_sums


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2 + 3 = 6", 5),
        ("So 12 x 3.00 = 38.00 euros", 36),
        ("总价是 3×15＝46 元", 45),
        ("<<48/2=25>>", 24),
        ("It is $1,200 - $300 = $800.", 900),
        ("(2 + 3) * 4 = 24", 20),
        ("first 1 + 1 = 2, then 2 + 2 = 5", 4),
        ("1. 7 * 8 = 54", 56),
        ("- 3 + 5 = 9", 8),
        ("10% * 50 = 6", 5),
        ("10 / 4 = 2.6", 2.5),
        ("2^10 = 1000", 1024),
        ("2 + 3 = 5 + 1 = 7", 6),
        ("100 ÷ 8 = 12", 12.5),
    ],
)
def test_a_wrong_sum_is_found(text: str, right: float) -> None:
    if right == 12.5:
        assert list(find_wrong_sums(text)) == []  # Rounded down: nobody can tell that from a mistake.
        return
    assert [float(value) for _, value in find_wrong_sums(text)] == [right]


@pytest.mark.parametrize(
    "text",
    [
        "2 + 3 = 5",
        "48/2 = <<48/2=24>>24",
        "10/3 = 3.33, 2/3 = 0.67, 20/3 = 6.6, 7/2 = 4",
        "25/50 = 50%, 25/50*100 = 50%",
        "0.1 + 0.2 = 0.3",
        "2x + 3 = 7, y - 3 = 9, 3x = 9, f(2) + 1 = 8",
        "100/5 = 5A/5, 3 + 4 = 7x",
        "100 - 20% = 80",
        "2019-2021 = 2 years, 2020-01-02 = a date",
        "10:30 + 15 = 10:45",
        "1 million / 4 = 250 thousand, 3000 * 1000 = 3 million, 3 * 10000 = 3万",
        "17 / 5 = 3 remainder 2",
        "12 x 1 and 1/4 = 15",
        "$1 / 2 = 50 cents",
        "log 10 + 1 = 2, sin 30 + 1 = 1.5",
        "a == b, x != 3 + 4, 3 + 4 >= 5",
        "5 - 8 = -3, (1 + 2) = 3",
        "1/0 = 5, 2^9999 = 3, " + "9" * 5000 + " + 1 = 2",
    ],
)
def test_what_is_right_or_in_doubt_is_left_alone(text: str) -> None:
    assert list(find_wrong_sums(text)) == []


def test_one_finding_a_row_and_none_where_other_rules_hold() -> None:
    wrong, binary, puzzle = make_cases(
        ("Add.", "1 + 1 = 3 and 2 + 2 = 5"),
        ("Add these binary numbers.", "101 + 11 = 1000"),
        ("Solve the puzzle.", "If 2 + 3 = 10 and 7 + 2 = 63, then ..."),
    )
    (found,) = find_wrong_arithmetic(wrong)
    assert (found.kind, found.values["right"]) == ("wrong_arithmetic", "2")
    assert not [*find_wrong_arithmetic(binary), *find_wrong_arithmetic(puzzle)]
