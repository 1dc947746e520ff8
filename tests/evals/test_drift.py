"""Drift as a record: nothing for an untrained adapter, along the base's own words only, none where nothing is read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import build_tiny_tokenizer
from tuneproof.evals.drift import load_texts, measure_all, predict_risk, spread_texts
from tuneproof.evals.task import Item
from tuneproof.model.drift import Drift, Reading
from tuneproof.model.load import add_adapter, load_base
from tuneproof.records import Answer, Message

READING = Reading(pack_tokens=256, chunk=64, plain_head=True)


def make_pair(name: str, *said: tuple[str, str], answer: str = "about an order") -> tuple[Item, Answer]:
    messages = [Message(role=role, content=text) for role, text in (*said, ("user", f"the question {name}?"))]  # type: ignore[arg-type]
    item = Item(name, "t", "short", messages, "order", (), 8, None, None, None)
    return item, Answer(
        id=name,
        task="t",
        scorer="short",
        prompt="",
        reference="",
        answer=answer,
        score=0,
        right=False,
        tokens=3,
        finish="end",
    )


def make_model(folder: Path, spread: float) -> Any:
    base = load_base(str(folder), device="cpu", dtype="float32").model
    model = add_adapter(base, rank=2, alpha=4, dropout=0.0, targets="all-linear")
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data = spread * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3))
    return model


def test_an_untrained_adapter_has_no_drift_and_a_trained_one_has(tiny_model_dir: Path) -> None:
    pairs = [make_pair("one"), make_pair("two")]
    records = [
        measure_all(
            make_model(tiny_model_dir, spread),
            build_tiny_tokenizer(),
            probes=pairs,
            tests=pairs[:1],
            texts=spread_texts(["en"], 3),
            reading=READING,
        )
        for spread in (0.0, 1.0)
    ]
    still, moved = records
    for value in (still.kl_retention, still.kl_task, still.text_loss_change):
        assert value == pytest.approx(0.0, abs=1e-6)
    assert still.risk == pytest.approx(0.0, abs=1e-3)
    assert moved.items == {"retention": 2, "task": 1, "text": 3}
    assert min(moved.kl_retention or 0, moved.kl_task or 0, moved.risk or 0) > 1e-4
    assert moved.text_loss_base == still.text_loss_base


def test_turns_that_were_given_do_not_count(tiny_model_dir: Path) -> None:
    model, tokenizer = make_model(tiny_model_dir, 1.0), build_tiny_tokenizer()
    plain, after = make_pair("one"), make_pair("one", ("user", "order?"), ("assistant", "the user asks " * 5))
    counted = [
        measure_all(model, tokenizer, probes=[pair], tests=[], texts=[], reading=READING).tokens
        for pair in (plain, after)
    ]
    assert counted[0] == counted[1] > 0


def test_what_was_not_read_is_not_measured(tiny_model_dir: Path) -> None:
    record = measure_all(
        make_model(tiny_model_dir, 1.0), build_tiny_tokenizer(), probes=[], tests=[], texts=[], reading=READING
    )
    assert record.tokens == 0
    assert [record.kl_retention, record.kl_task, record.text_loss_change, record.risk] == [None] * 4


def test_the_risk_is_the_bound_of_each_answer_averaged() -> None:
    assert predict_risk([Drift(3, 0.0, 1, 1)]) == 0.0
    assert predict_risk([Drift(3, 50.0, 1, 1)]) == pytest.approx(1.0)
    halves = predict_risk([Drift(3, 0.0, 1, 1), Drift(1, 0.5, 1, 1)])
    assert halves == pytest.approx(math.sqrt(1 - math.exp(-0.5)) / 2)


def test_neutral_texts_are_as_many_of_each_language_and_spread_over_all() -> None:
    english, chinese = load_texts("en"), load_texts("zh")
    assert spread_texts(["zh", "en"], 2) == [chinese[0], chinese[20], english[0], english[20]]
    assert spread_texts(["en"], 1000) == english


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_neutral_texts_are_of_their_language(language: str) -> None:
    texts = load_texts(language)
    chinese = [sum("\u4e00" <= letter <= "\u9fff" for letter in text) / len(text) for text in texts]
    assert len(texts) == len(set(texts)) >= 40
    assert all(share > 0.6 if language == "zh" else share == 0 for share in chinese)
