"""Answers that stand out by the base's loss: found where they do, and nowhere else."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from tests.data.rows import make_cases, make_row
from tuneproof.config import RunConfig
from tuneproof.data.outlier import FEWEST_ROWS, Loss, find_outliers
from tuneproof.data.traits import gather_cases
from tuneproof.errors import UsageError
from tuneproof.model.chat import Encoded, encode_row
from tuneproof.model.load import load_base
from tuneproof.pipeline.outliers import keep_last, measure_loss, note_outliers
from tuneproof.progress import Quiet
from tuneproof.records import Message


def draw_losses(count: int, seed: int = 0) -> list[Loss | None]:
    generator = random.Random(seed)
    each = [generator.gauss(2.0, 0.3) for _ in range(count)]
    return [Loss(20, 20 * loss, 26 * loss) for loss in each]


def test_an_answer_far_less_likely_than_the_others_is_found() -> None:
    cases = make_cases(*((f"q{number}", f"a{number}") for number in range(100)))
    losses = draw_losses(100)
    assert list(find_outliers(cases, losses)) == []
    losses[41] = Loss(20, 120.0, 160.0)
    losses[7] = None
    (found,) = find_outliers(cases, losses)
    assert (found.kind, found.severity, found.line) == ("outlier", "info", 42)
    assert (found.values["variant"], found.values["loss"]) == ("unlikely", 6.0)


def test_an_answer_that_its_question_does_not_help_is_found() -> None:
    cases = make_cases(("q1", "a1"), ("q2", "a2"), ("q3", "a3"))
    losses = [Loss(20, 40.0, 52.0), Loss(20, 40.0, 38.0), Loss(2, 9.0, 1.0)]
    (found,) = find_outliers(cases, losses)
    assert (found.line, found.values["variant"], found.values["ratio"]) == (2, "unrelated", 1.05)


def test_a_task_is_held_against_itself() -> None:
    rows = [make_row(f"q{n}", f"a{n}", n, "hard" if n % 2 else "easy") for n in range(4 * FEWEST_ROWS)]
    losses = [Loss(20, 120.0 + n % 5, 200.0) if n % 2 else Loss(20, 10.0 + n % 5, 40.0) for n in range(len(rows))]
    assert list(find_outliers(gather_cases(rows), losses)) == []


def test_the_last_answer_alone_is_counted() -> None:
    row = Encoded([1, 2, 3, 4, 5, 6, 7], [False, True, True, False, True, True, False])
    assert keep_last(row).mask == [False, False, False, False, True, True, False]
    assert keep_last(Encoded([1, 2], [False, False])).mask == [False, False]
    assert keep_last(Encoded([1, 2], [True, True])).mask == [True, True]


def test_the_loss_is_that_of_the_model(tiny_model_dir: Path) -> None:
    import torch

    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
    messages = [Message(role="user", content="What is it?"), Message(role="assistant", content="It is a boat.")]
    loss = measure_loss(base, messages, 1000, plain_head=True)
    assert loss is not None
    row = encode_row(base.tokenizer, messages)
    with torch.no_grad():
        logits_TV = base.model(torch.tensor([row.ids])).logits[0].log_softmax(-1)
    told = -sum(float(logits_TV[at - 1, row.ids[at]]) for at in range(1, len(row.ids)) if row.mask[at])
    assert math.isclose(loss.asked, told, rel_tol=1e-4)
    assert loss.tokens == sum(row.mask[1:])
    assert loss.alone > 0
    assert measure_loss(base, messages, 5, plain_head=True) is None


def test_outliers_need_a_model(tiny_model_dir: Path) -> None:
    cases = make_cases(("What is it?", "It is a boat."), ("Who is it?", "It is the harbour master."))
    config = RunConfig()
    with pytest.raises(UsageError):
        note_outliers(config, cases, 1000, Quiet())
    config.model.name = str(tiny_model_dir)
    assert all(found.severity == "info" for found in note_outliers(config, cases, 1000, Quiet()))
