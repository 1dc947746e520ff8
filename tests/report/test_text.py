"""Hidden characters are written out; everything that can be seen stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.report.text import show_controls


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u202eb", "a‹U+202E›b"),
        ("a\u200bb", "a‹U+200B›b"),
        ("\x00\x07\x1b", "‹U+0000›‹U+0007›‹U+001B›"),
        ("\u2066\u2028\ufeff", "‹U+2066›‹U+2028›‹U+FEFF›"),
        ("\ud800", "‹U+D800›"),
        ("\U000e0041", "‹U+E0041›"),
    ],
)
def test_hidden_characters_are_written_out(hidden: str, shown: str) -> None:
    assert show_controls(hidden) == shown


@pytest.mark.parametrize("text", ["a\tb\nc\r\n", "中文，标点。", "👩\u200d👧", "می\u200cخواهم", "a\u00a0b", "<b>&amp;"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert show_controls(text) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_valid_utf_8_without_controls(text: str) -> None:
    shown = show_controls(text)
    shown.encode("utf-8")
    assert not any(ord(character) < 32 for character in shown if character not in "\t\n\r")
