"""Data about people: found by check digit and form, shown covered, told apart from invented examples."""

from __future__ import annotations

import pytest

from tests.data.rows import make_cases
from tuneproof.data.people import find_people
from tuneproof.records import Finding


def find_in(text: str) -> list[Finding]:
    (case,) = make_cases(("q", text))
    return list(find_people(case))


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("身份证号11010519491231002X，请核对", "id"),
        ("ID 440524188001010014", "id"),
        ("card 4539 1488 0343 6467", "card"),
        ("卡号6222021234567890128", "card"),
        ("SSN 219-09-9999", "social"),
        ("请拨打13912345678", "phone"),
        ("手机 +86 186-0012-3457", "phone"),
        ("电话 010-62770334", "phone"),
        ("call (212) 736-5000", "phone"),
        ("call +44 20 7219 3000", "phone"),
        ("write to j.miller@web.de today", "email"),
        ("邮箱zhang.wei@qq.com。", "email"),
    ],
)
def test_data_about_people_is_found_and_covered(text: str, sort: str) -> None:
    (found,) = find_in(text)
    assert (found.kind, found.severity, found.values["variant"]) == ("pii", "warning", sort)
    digits = [word for word in text.split() if sum(letter.isdigit() for letter in word) > 8 or "@" in word]
    assert all(word not in found.message for word in digits)


@pytest.mark.parametrize(
    "text",
    [
        "身份证号110105194912310021",  # A wrong check digit.
        "card 4539 1488 0343 6468",
        "order 20240105123456789, invoice 2024-0001-0002",
        "pi is 3.14159265358979323846",
        "12,345,678,901 people; 1234 5678; 2019-2021; 10:30-11:45",
        "version 1.2.3.4, ISBN 978-3-16-148410-0",
        "version 10.0.19041.1234 of 2021-05-06 12:13:14",
        "user@host and @handle",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert find_in(text) == []


@pytest.mark.parametrize("text", ["ann@example.com", "call (555) 123-4567", "me@email.com", "call 123-456-7890"])
def test_invented_examples_are_told_apart(text: str) -> None:
    assert [found.severity for found in find_in(text)] == ["info"]
