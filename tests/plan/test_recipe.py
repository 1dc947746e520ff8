"""Rank, rate and epochs by the design rules, and what the user gave stays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, Qwen2Config

from tuneproof.config import LoraSection, ReplaySection, RunConfig, TrainSection
from tuneproof.plan.recipe import SMALL_REPLAY, USUAL_REPLAY, choose_epochs, choose_rate, count_turns, resolve_training


@pytest.mark.parametrize(
    ("rows", "epochs"), [(20, 10), (100, 10), (300, 8), (1000, 5), (3000, 3), (10000, 2), (90000, 2)]
)
def test_epochs_are_those_of_rule_six(rows: int, epochs: int) -> None:
    assert choose_epochs(rows) == epochs


@given(st.integers(1, 200_000), st.integers(1, 200_000))
def test_more_rows_never_get_more_epochs(one: int, other: int) -> None:
    assert choose_epochs(min(one, other)) >= choose_epochs(max(one, other))


def test_rate_is_qloras_at_its_batch_and_size() -> None:
    """5e-4 x sqrt(16 / 128) = 1.77e-4 at hidden 2000, QLoRA's 2e-4 at batch 16 (docs/evidence.md, rule 3)."""
    assert choose_rate(1000, hidden_size=2048, batch_size=16, family="qwen2") == pytest.approx(1.76e-4, rel=0.01)


def test_rate_follows_the_family() -> None:
    llama = choose_rate(1000, hidden_size=1152, batch_size=8, family="llama")
    qwen = choose_rate(1000, hidden_size=1152, batch_size=8, family="qwen2")
    assert llama == pytest.approx(1.92e-4, rel=0.01)
    assert qwen == pytest.approx(1.3e-4, rel=0.01)
    assert choose_rate(1000, hidden_size=1152, batch_size=8, family="gemma") == qwen


def test_small_models_get_the_rate_that_was_measured() -> None:
    assert choose_rate(1000, hidden_size=576, batch_size=8, family="llama") == 1e-3
    assert choose_rate(1000, hidden_size=576, batch_size=2, family="llama") == 5e-4


def test_small_models_get_more_replay_and_what_the_user_gave_stays() -> None:
    small, usual = LlamaConfig(hidden_size=576), Qwen2Config(hidden_size=2048)
    assert resolve_training(RunConfig(), 1000, small).replay.fraction == SMALL_REPLAY
    assert resolve_training(RunConfig(), 1000, usual).replay.fraction == USUAL_REPLAY
    config = RunConfig()
    config.replay.fraction = 0.0
    assert resolve_training(config, 1000, small).replay.fraction == 0.0


@pytest.mark.parametrize(("epochs", "turns"), [(3.0, 1), (1.0, 1), (0.7, 1), (0.5, 2), (0.3, 3), (0.01, 4)])
def test_of_part_of_a_pass_fewer_replay_rows_have_more_turns(epochs: float, turns: int) -> None:
    assert count_turns(epochs) == turns


def test_rate_is_lower_for_few_rows_and_capped() -> None:
    few = choose_rate(300, hidden_size=2048, batch_size=8, family="qwen2")
    many = choose_rate(301, hidden_size=2048, batch_size=8, family="qwen2")
    assert few == pytest.approx(0.6 * many, rel=0.01)
    assert choose_rate(5000, hidden_size=64, batch_size=128, family="llama") == 1e-3


@pytest.mark.parametrize(("rows", "rank", "alpha"), [(300, 8, 16), (301, 16, 32)])
def test_rank_is_small_for_few_rows(rows: int, rank: int, alpha: int) -> None:
    resolved = resolve_training(RunConfig(), rows, LlamaConfig(hidden_size=576))
    assert (resolved.lora.rank, resolved.lora.alpha) == (rank, alpha)


def test_strength_is_held_when_the_rank_changes() -> None:
    config = RunConfig(lora=LoraSection(rank=64))
    assert resolve_training(config, 1000, Qwen2Config()).lora.alpha == 32


def test_what_the_user_gave_is_kept() -> None:
    given_config = RunConfig(
        lora=LoraSection(rank=4, alpha=4),
        train=TrainSection(epochs=1.5, learning_rate=5e-5, max_steps=3),
        replay=ReplaySection(fraction=0.05),
    )
    resolved = resolve_training(given_config, 1000, Qwen2Config())
    assert resolved == given_config


def test_the_config_handed_in_stays_as_it_was() -> None:
    config = RunConfig()
    before: dict[str, Any] = config.model_dump()
    resolve_training(config, 1000, Qwen2Config())
    assert config.model_dump() == before
