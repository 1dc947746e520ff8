"""Numbers carry a sign, a unit and a real minus, and a missing number is never 0."""

from __future__ import annotations

import pytest

from tuneproof.figures import (
    FORMATS,
    format_bytes,
    format_cut,
    format_date,
    format_decimal,
    format_interval,
    format_p,
    format_percent,
    format_points,
    format_seconds,
    format_signed,
    format_unsigned,
    tell_said,
)


def test_differences_carry_their_sign_and_a_real_minus() -> None:
    assert format_signed(0.6234, "en") == "+62.3"
    assert format_signed(-0.0311, "en") == "−3.1"
    assert format_points(0.6234, "en") == "+62.3 points"
    assert format_points(-0.0311, "zh") == "−3.1 个百分点"
    assert format_interval((-0.02, 0.1), "en") == "−2.0 to +10.0"
    assert format_interval((-0.02, 0.1), "zh") == "−2.0 至 +10.0"


@pytest.mark.parametrize("tiny", [0.0, 0.0004, -0.0004])
def test_what_rounds_to_zero_has_no_sign(tiny: float) -> None:
    assert format_signed(tiny, "en") == "0.0"


def test_a_loss_has_no_plus() -> None:
    assert format_unsigned(0.02, "en") == "2.0 points"
    assert format_unsigned(-0.02, "en") == "−2.0 points"


def test_rates_and_plain_numbers() -> None:
    assert format_percent(0.664, "en") == "66.4 %"
    assert format_percent(0.664, "zh") == "66.4%"
    assert format_decimal(0.30714, "en") == "0.3071"
    assert format_decimal(20480.0, "en") == "20,480"
    assert format_decimal(-0.5, "en") == "−0.5"


def test_a_p_value_is_never_zero() -> None:
    assert format_p(0.0, "en") == "<\u00a00.001"
    assert format_p(0.289, "en") == "0.29"


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (2_000, "2 KB"), (312_400_000, "312 MB"), (1_620_000_000, "1.62 GB")]
)
def test_bytes_have_the_unit_of_the_memory_option(size: int, text: str) -> None:
    assert format_bytes(size, "en").replace("\u00a0", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (48.2, "48 s"), (59.7, "1 min"), (252, "4 min 12 s"), (420, "7 min"), (3900, "1 h 05 min")],
)
def test_durations_read_as_on_a_clock(seconds: float, text: str) -> None:
    assert format_seconds(seconds, "en") == text


def test_dates_are_in_utc() -> None:
    assert format_date(1795000000.0, "en") == "2026-11-18 11:06 UTC"


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"date"}))
def test_a_missing_number_is_said_to_be_missing(name: str) -> None:
    assert FORMATS[name](None, language="en") == "not measured"
    assert FORMATS[name](None, language="zh") == "未测量"


def test_a_cut_is_told_in_words_and_another_text_as_it_stands() -> None:
    assert format_cut("epochs 6 -> 0.7", "en") == "passes over the rows: 6 -> 0.7"
    assert format_cut("few-shot rows 136 -> 50", "zh") == "对照组作答的测试数据：136 -> 50"
    assert format_cut("limit 357 s -> 375 s", "zh") == "仍然放不进时限，将会超时：357 秒 -> 375 秒"
    assert format_cut("nothing of the kind", "zh") == "nothing of the kind"


def test_a_sentence_of_a_stage_is_told_in_the_readers_language_to_its_durations() -> None:
    kept = {"time": 1300.0, "train": 470.0}
    assert "21 min 40 s" in tell_said("time.ahead", kept, "en")
    assert tell_said("time.ahead", kept, "zh").startswith("全程约需 21 分 40 秒，其中训练 7 分 50 秒")
    assert "21 min" in tell_said("time.ahead", {"time": "21 min", "train": "7 min"}, "zh")  # As older runs kept it.
    assert "not measured" in tell_said("trials.ahead", {"n": 2, "time": None}, "en")
