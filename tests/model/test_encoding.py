"""A row is tokenised once, and what is kept is the row itself, never another one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneproof.model import encoding
from tuneproof.model.chat import Encoded, encode_row, encode_rows
from tuneproof.model.encoding import EncodedRows, encode_all, measure_rows, pack_row, unpack_row
from tuneproof.model.load import load_tokenizer
from tuneproof.records import Message


def make_turns(question: str, answer: str = "It is an order.") -> list[Message]:
    return [Message(role="user", content=question), Message(role="assistant", content=answer)]


ASKED = [make_turns(f"question {number}?", "yes " * number) for number in range(1, 6)]


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.booleans())))
def test_a_packed_row_is_the_row(tokens: list[tuple[int, bool]]) -> None:
    row = Encoded([token for token, _ in tokens], [trained for _, trained in tokens])
    assert unpack_row(pack_row(row)) == row


def count_calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is encoded from now on, with nothing kept from before."""
    asked: list[Any] = []

    def encode(tokenizer: Any, conversations: Any) -> list[Encoded]:
        asked.extend(conversations)
        return encode_rows(tokenizer, conversations)

    monkeypatch.setattr(encoding, "encode_rows", encode)
    monkeypatch.setattr(encoding, "KEPT", EncodedRows())
    return asked


def test_rows_are_encoded_once_whoever_asks(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_calls(monkeypatch)
    tokenizer = load_tokenizer(str(tiny_model_dir))
    wanted = [encode_row(tokenizer, messages) for messages in ASKED]
    assert list(encode_all(tokenizer, ASKED)) == wanted
    assert len(asked) == len(ASKED)
    other = load_tokenizer(str(tiny_model_dir))
    assert list(encode_all(other, reversed(ASKED))) == wanted[::-1]
    assert list(measure_rows(other, ASKED)) == [(len(row.ids), sum(row.mask[1:])) for row in wanted]
    assert len(asked) == len(ASKED)


def test_another_template_role_or_text_is_another_row(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_calls(monkeypatch)
    plain, changed = load_tokenizer(str(tiny_model_dir)), load_tokenizer(str(tiny_model_dir))
    changed.chat_template = "{% for message in messages %}{{ message.content }}<|im_end|>{% endfor %}"
    turned = [Message(role="system", content=ASKED[0][0].content), *make_turns("question 1?", "yes ")]
    joined = make_turns("question 1?yes ", "")
    for tokenizer, messages in ((plain, ASKED[0]), (changed, ASKED[0]), (plain, turned), (plain, joined)):
        assert list(encode_all(tokenizer, [messages])) == [encode_row(tokenizer, messages)]
    assert len(asked) == 4


def test_beyond_the_bound_rows_are_encoded_anew(tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_calls(monkeypatch)
    tokenizer = load_tokenizer(str(tiny_model_dir))
    rows = EncodedRows(bound=600)
    for _ in range(2):
        assert rows.encode(tokenizer, ASKED) == [encode_row(tokenizer, one) for one in ASKED]
    assert rows.size <= 600
    assert len(ASKED) < len(asked) < 2 * len(ASKED)


@pytest.mark.parametrize(("together", "letters"), [(2, 10**6), (256, 60), (256, 1)])
def test_chunks_of_any_size_hold_the_same_rows(
    tiny_model_dir: Path, monkeypatch: pytest.MonkeyPatch, together: int, letters: int
) -> None:
    asked = count_calls(monkeypatch)
    monkeypatch.setattr(encoding, "TOGETHER", together)
    monkeypatch.setattr(encoding, "LETTERS", letters)
    tokenizer = load_tokenizer(str(tiny_model_dir))
    assert list(encode_all(tokenizer, iter(ASKED))) == [encode_row(tokenizer, one) for one in ASKED]
    assert asked == ASKED
    assert list(encode_all(tokenizer, [])) == []
