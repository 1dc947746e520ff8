"""The mask is shown as it is, and rows of which nothing would be trained are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from tests.training.conftest import make_rows
from tuneproof.errors import TrainingError
from tuneproof.training.dataset import encode_rows, explain_mask


def test_the_explained_mask_joins_to_the_whole_row(tiny_model_dir: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    rows = encode_rows(tokenizer, make_rows(3))
    pieces = explain_mask(tokenizer, rows.encoded[2])
    assert "".join(text for text, _ in pieces) == tokenizer.decode(rows.encoded[2].ids)
    assert [trained for _, trained in pieces] == [False, True]
    assert pieces[1][0] == "the the the <|im_end|>"


def test_no_rows_and_rows_without_an_answer_are_refused(tiny_model_dir: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    with pytest.raises(TrainingError) as caught:
        encode_rows(tokenizer, [])
    assert caught.value.key == "train.no_rows"
    row = make_rows(1)[0]
    row.messages.pop()
    with pytest.raises(TrainingError) as caught:
        encode_rows(tokenizer, [row])
    assert caught.value.where == "rows.jsonl:1"
