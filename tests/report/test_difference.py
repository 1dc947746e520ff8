"""Differences lose nothing, and mark words or single characters as a reader would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneproof.report.difference import PAIRS_LIMIT, Segment, find_differences, measure_likeness, split_words

WORDS = st.lists(st.sampled_from(["pay", " ", "in", "\n", "五月", "六", "3.50", ",", "。", "e\u0301", "🙂"])).map(
    "".join
)
TEXTS = st.one_of(st.text(), WORDS)


def join_all(segments: list[Segment], without: str) -> str:
    return "".join(segment.text for segment in segments if segment.kind != without)


@given(TEXTS)
def test_words_join_to_the_text(text: str) -> None:
    assert "".join(split_words(text)) == text


@given(TEXTS, TEXTS)
def test_segments_join_back_to_both_texts(before: str, after: str) -> None:
    segments = find_differences(before, after)
    assert join_all(segments, "added") == before
    assert join_all(segments, "removed") == after
    assert all(segment.text for segment in segments)


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert {segment.kind for segment in find_differences(text, text)} <= {"same"}
    assert measure_likeness(find_differences(text, text)) == 1


@given(TEXTS, TEXTS)
def test_likeness_is_a_share(before: str, after: str) -> None:
    assert 0 <= measure_likeness(find_differences(before, after)) <= 1


def test_one_changed_word_is_marked_alone() -> None:
    assert find_differences("pay in May, please", "pay in June, please") == [
        Segment("same", "pay in "),
        Segment("removed", "May"),
        Segment("added", "June"),
        Segment("same", ", please"),
    ]


def test_chinese_is_marked_by_character() -> None:
    assert find_differences("三个工作日内退款", "五个工作日内退款")[:2] == [
        Segment("removed", "三"),
        Segment("added", "五"),
    ]


def test_a_number_is_one_word() -> None:
    assert split_words("1,234.50 EUR") == ["1,234.50", " ", "EUR"]


def test_replaced_words_are_not_chopped_up_by_the_spaces_between_them() -> None:
    assert find_differences("a b c", "x y z") == [Segment("removed", "a b c"), Segment("added", "x y z")]


def test_very_long_answers_are_compared_by_sentence() -> None:
    count = int(PAIRS_LIMIT**0.5)
    before, after = "the the. " * count, "the the. " * count + "Really the end."
    segments = find_differences(before, after)
    assert join_all(segments, "removed") == after
    assert segments[-1] == Segment("added", " Really the end.")
