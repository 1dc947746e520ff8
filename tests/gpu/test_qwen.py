"""A model with Qwen1.5-1.8B's dimensions and random weights on a CUDA device: a real step, a short run, its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Qwen2Config

from benchmarks.recording import build_tuned
from tuneproof.config import RunConfig
from tuneproof.model.chat import Encoded
from tuneproof.model.generate import generate_answers
from tuneproof.model.load import enable_checkpointing
from tuneproof.model.packing import check_isolation
from tuneproof.model.step import build_optimizer, build_pack, check_plain_head, count_trained, sum_loss
from tuneproof.records import Message, Row
from tuneproof.training.checkpoint import check_checkpoint
from tuneproof.training.dataset import RowSet
from tuneproof.training.recovery import Shape
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport

BLOGGERS_CARD = 6 * 2**30


@pytest.fixture(scope="module")
def model(qwen_config: Qwen2Config) -> Any:
    return build_tuned(qwen_config, 8)


def make_rows(count: int, length: int, trained: int) -> list[Encoded]:
    generator = torch.Generator().manual_seed(1)
    mask = [False] * (length - trained) + [True] * trained
    return [Encoded(torch.randint(0, 151936, (length,), generator=generator).tolist(), mask) for _ in range(count)]


def test_rows_are_kept_apart_and_the_head_is_plain(model: Any) -> None:
    assert check_isolation(model)
    assert check_plain_head(model)


def test_a_step_of_4x1024_tokens_fits_the_6_gb_card(model: Any, record_property: Any) -> None:
    """Checkpointing and the chunked loss: predicted 4.68 GiB of tensors (docs/evidence.md, rule 24), without NF4."""
    enable_checkpointing(model.get_base_model())
    model.train()
    optimizer = build_optimizer(model.parameters(), 1e-4)
    rows = make_rows(4, 1024, 256)
    torch.cuda.reset_peak_memory_stats()
    losses = []
    for _ in range(2):
        loss = sum_loss(model, build_pack(rows, "cuda"), chunk=256) / count_trained(rows)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss))
    peak = torch.cuda.max_memory_allocated()
    assert all(torch.isfinite(torch.tensor(losses)))
    assert losses[1] < losses[0]
    assert peak < BLOGGERS_CARD
    model.get_base_model().gradient_checkpointing_disable()


def test_a_short_run_learns_and_leaves_a_whole_checkpoint(model: Any, tmp_path: Path) -> None:
    encoded = make_rows(16, 128, 32)
    said = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    rows = RowSet([Row(id=str(n), file="f", line=n, task="t", messages=said) for n in range(16)], encoded)
    config = RunConfig()
    config.train.learning_rate, config.train.max_steps, config.train.save_steps = 1e-3, 12, 6
    reports: list[StepReport] = []
    trained = train_adapter(
        model,
        rows,
        config=config,
        shape=Shape(1024, 256, True),
        folder=tmp_path / "checkpoints",
        log=StepLog([], reports.append),
    )
    assert reports[-1].loss < reports[0].loss
    assert trained.peak_bytes is not None
    assert trained.peak_bytes > 3 * 2**30
    assert check_checkpoint(tmp_path / "checkpoints" / "checkpoint-12") is None


def test_batched_answers_equal_single_ones_in_length(model: Any) -> None:
    prompts = [row.ids[:length] for row, length in zip(make_rows(4, 64, 1), (5, 64, 17, 30), strict=False)]
    answers = generate_answers(model, prompts, limits=[8] * 4, ends=[], batch_size=4)
    assert [len(answer.ids) for answer in answers] == [8] * 4
