"""Sizes and durations: what is accepted, what it means, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.cli.amounts import SECONDS, UNITS, parse_duration, parse_size
from tuneproof.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("6GB", 6_000_000_000),
        ("6GiB", 6 * 2**30),
        ("6000MB", 6_000_000_000),
        ("5.5gb", 5_500_000_000),
        (" 8 GB ", 8_000_000_000),
        ("512b", 512),
    ],
)
def test_a_size_is_bytes(text: str, size: int) -> None:
    assert parse_size(text, "--memory") == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20min", 1200), ("7m", 420), ("2h", 7200), ("1h30min", 5400), ("0.5h", 1800)]
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text, "--time") == seconds


@pytest.mark.parametrize("text", ["", "6", "GB", "-6GB", "6GBit", "6 GB GB", "1e9B", "nanGB", "0GB", "9" * 400 + "TB"])
def test_what_is_no_size_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text, "--memory")
    assert caught.value.where == "--memory"
    assert "6GiB" in caught.value.hint()


@pytest.mark.parametrize("text", ["", "20", "min", "-5min", "0s", "5 minutes", "1h 30", "infs", "9" * 400 + "h"])
def test_what_is_no_duration_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_duration(text, "--time")
    assert caught.value.where == "--time"
    assert "20min" in caught.value.hint()


@given(st.integers(1, 10**6), st.sampled_from(sorted(UNITS)))
def test_whole_sizes_are_exact(number: int, unit: str) -> None:
    assert parse_size(f"{number}{unit}", "--memory") == number * UNITS[unit]
    assert parse_size(f"{number} {unit.upper()}", "--memory") == number * UNITS[unit]


@given(st.integers(1, 10**5), st.sampled_from(sorted(SECONDS)))
def test_whole_durations_are_exact(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}", "--time") == number * SECONDS[unit]


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_user_error(text: str) -> None:
    for parse in (parse_size, parse_duration):
        try:
            amount = parse(text, "--x")
        except UsageError:
            continue
        assert amount > 0
