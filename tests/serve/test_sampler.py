"""Draws follow the distribution that was asked for, and a row's depend on that row alone."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from tests.serve.test_transcript import TOKENIZER
from tuneproof.serve.question import Question
from tuneproof.serve.sampler import Sampler, pick_tokens, score_token
from tuneproof.serve.transcript import Speller

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -20.0])


def make_sampler(**fields: float | int | None) -> Sampler:
    return Sampler(Question((1,), {}, 1, **fields))  # type: ignore[arg-type]


def draw_many(count: int = 4000, **fields: float) -> dict[int, float]:
    sampler = make_sampler(seed=3, **fields)
    return {token: n / count for token, n in Counter(sampler.draw(LOGITS) for _ in range(count)).items()}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_shares_are_those_of_the_softmax(temperature: float) -> None:
    expected = (LOGITS / temperature).softmax(-1)
    shares = draw_many(temperature=temperature)
    # Four standard errors of 4,000 draws.
    assert all(abs(shares.get(token, 0.0) - float(p)) < 4 * 0.5 / 4000**0.5 for token, p in enumerate(expected))


def test_a_nucleus_keeps_the_likeliest_whose_sum_reaches_it() -> None:
    # softmax: 0.64, 0.24, 0.09, 0.03
    assert set(draw_many(temperature=1.0, top_p=0.6)) == {0}
    assert set(draw_many(temperature=1.0, top_p=0.7)) == {0, 1}
    assert set(draw_many(temperature=1.0, top_p=0.9)) == {0, 1, 2}
    shares = draw_many(temperature=1.0, top_p=0.7)
    assert shares[0] == pytest.approx(0.731, abs=0.03)


def test_a_nucleus_wider_than_what_is_looked_at_first_is_whole() -> None:
    sampler = make_sampler(temperature=1.0, top_p=0.99, seed=1)
    drawn = {sampler.draw(torch.zeros(2000)) for _ in range(6000)}
    assert 1700 < len(drawn) <= 1981


def test_a_temperature_near_zero_is_the_likeliest() -> None:
    assert set(draw_many(100, temperature=1e-6)) == {0}


def test_a_row_draws_the_same_whatever_stands_beside_it() -> None:
    many = LOGITS.repeat(3, 1)

    def samplers() -> list[Sampler]:
        return [make_sampler(temperature=1.0, seed=seed) for seed in (1, 2, 3)]

    together, alone = samplers(), samplers()
    drawn = [pick_tokens(many, together) for _ in range(50)]
    assert [row[1] for row in drawn] == [pick_tokens(many[:1], alone[1:2])[0] for _ in range(50)]
    assert len({tuple(column) for column in zip(*drawn, strict=True)}) == 3


def test_greedy_rows_stand_beside_drawn_ones() -> None:
    picked = pick_tokens(LOGITS.repeat(2, 1), [make_sampler(), make_sampler(temperature=2.0, seed=5)])
    assert picked[0] == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_answer_is_made_of_numbers_that_are_none(bad: float) -> None:
    with pytest.raises(FloatingPointError):
        pick_tokens(torch.tensor([[0.0, bad]]), [make_sampler()])


def test_scores_are_log_probabilities() -> None:
    scored = score_token(LOGITS, 1, 2, Speller(TOKENIZER))
    expected = LOGITS.log_softmax(-1)
    assert scored.logprob == pytest.approx(float(expected[1]))
    assert [value for _, value in scored.likeliest] == pytest.approx(expected[:2].tolist())
