"""Text as it grows: whole characters, nothing of a stop string, and the same text whether streamed or not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import build_tiny_tokenizer
from tuneproof.serve.transcript import Detokenizer, Speller, Transcript

TOKENIZER: Any = build_tiny_tokenizer()
TEXTS = st.text(st.sampled_from("ab \n订单€🙂é"), max_size=24)


def encode(text: str) -> list[int]:
    ids: list[int] = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    return ids


def tell(text: str, stops: list[str]) -> tuple[list[str], Transcript]:
    """What a client sees of a text, piece by piece, until a stop string comes."""
    transcript = Transcript(TOKENIZER, stops)
    pieces = []
    for token in encode(text):
        pieces.append(transcript.add(token))
        if transcript.stopped:
            break
    return [*pieces, transcript.close()], transcript


@given(TEXTS)
@settings(deadline=None, max_examples=150)
def test_pieces_add_up_to_the_text_and_are_whole_characters(text: str) -> None:
    pieces, _ = tell(text, [])
    assert "".join(pieces) == text
    assert "\ufffd" not in "".join(pieces)


@given(TEXTS, st.lists(st.text(st.sampled_from("ab \n订🙂"), min_size=1, max_size=4), min_size=1, max_size=3))
@settings(deadline=None, max_examples=300)
def test_nothing_of_a_stop_string_is_shown_wherever_tokens_end(text: str, stops: list[str]) -> None:
    pieces, transcript = tell(text, stops)
    shown = "".join(pieces)
    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if any(stop in text for stop in stops):
        assert transcript.stopped
        # It ends where a stop string begins, and no later than the first one could be seen.
        assert any(text[len(shown) :].startswith(stop) for stop in stops)
    else:
        assert (shown, transcript.stopped) == (text, False)


def test_what_could_become_a_stop_string_is_held_back_until_it_is_none() -> None:
    transcript = Transcript(TOKENIZER, ["aab"])
    shown = [transcript.add(token) for letter in "aaxaaab" for token in encode(letter)]
    assert shown == ["", "", "aax", "", "", "a", ""]
    assert transcript.stopped
    assert transcript.close() == ""


def test_half_a_character_at_the_end_is_told_as_such() -> None:
    detokenizer = Detokenizer(TOKENIZER)
    first, *_ = encode("订")
    assert len(encode("订")) > 1
    assert detokenizer.add(first) == ""
    assert detokenizer.close() == "\ufffd"


def test_end_tokens_in_the_middle_are_no_text() -> None:
    transcript = Transcript(TOKENIZER)
    special = TOKENIZER.convert_tokens_to_ids("<|im_start|>")
    pieces = [transcript.add(token) for token in [*encode("ab"), special, *encode(" b")]]
    assert "".join([*pieces, transcript.close()]) == "ab b"


def test_tokens_are_settled_once_their_text_is_out() -> None:
    transcript = Transcript(TOKENIZER, ["b"])
    counts = []
    for token in [*encode("a"), *encode("x"), *encode("b")]:
        transcript.add(token)
        counts.append(transcript.settled)
    assert counts == [1, 2, 2]


@given(TEXTS)
@settings(deadline=None, max_examples=50)
def test_spelled_tokens_are_the_bytes_of_the_text(text: str) -> None:
    speller = Speller(TOKENIZER)
    assert b"".join(speller.spell(token) for token in encode(text)) == text.encode()


@pytest.mark.parametrize(("name", "spelled"), [("<0xE4>", b"\xe4"), ("\u2581the", b" the"), ("the", b"the")])
def test_sentencepiece_tokens_are_spelled_too(name: str, spelled: bytes) -> None:
    class Vocabulary:
        all_special_ids = [0]

        def tokenize(self, text: str) -> list[str]:
            return ["\u2581"]

        def convert_ids_to_tokens(self, token: int) -> str:
            return name

    assert Speller(Vocabulary()).spell(5) == spelled
