"""Recorded steps on a CUDA device: the same answers, gradients and training as launched kernel by kernel."""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, Qwen2Config

from benchmarks.recording import build_tuned
from tests.gpu.test_speed import load, make_rows
from tests.model.test_generate import HEADS, build_model, make_prompts
from tuneproof.config import RunConfig
from tuneproof.model import graph, liger
from tuneproof.model.chat import Encoded
from tuneproof.model.decoder import RecordedDecoder, Room
from tuneproof.model.generate import generate_answers
from tuneproof.model.step import build_pack, count_trained, sum_loss
from tuneproof.records import Message, Row
from tuneproof.training.dataset import RowSet
from tuneproof.training.recovery import Shape
from tuneproof.training.train import StepLog, train_adapter
from tuneproof.training.trainer import StepReport


@pytest.mark.parametrize("batch_size", [1, 7, 32])
@pytest.mark.parametrize("config_class", [LlamaConfig, Qwen2Config])
def test_recorded_answers_are_the_same(config_class: Any, batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In fp32, where no two tokens are about as likely: rows come and go, the cache grows and forgets."""
    model = build_model(config_class, **HEADS).to("cuda")
    prompts, draw = make_prompts(60), random.Random(4)
    limits = [draw.choice([1, 2, 9, 40, 150]) for _ in prompts]
    recorded: list[Any] = []
    record = graph.Recorder.record

    def note(*given: Any) -> Any:
        recorded.append(record(*given))
        return recorded[-1]

    monkeypatch.setattr(graph.Recorder, "record", note)
    found = generate_answers(model, prompts, limits=limits, ends=[3], batch_size=batch_size)
    assert recorded
    assert all(recorded)
    monkeypatch.setenv(graph.SWITCH, "0")
    assert generate_answers(model, prompts, limits=limits, ends=[3], batch_size=batch_size) == found


def test_what_waits_for_the_card_is_found_out_before_it_is_recorded() -> None:
    """And done all the same; what does not wait is recorded, forward and backward."""
    model = torch.nn.Linear(4, 4, device="cuda")
    asked: list[float] = []
    x = torch.ones(4, 4, device="cuda")
    recorder = graph.Recorder(model)
    recorder.prove(lambda: asked.append(float(x.sum())))
    assert asked == [16.0]
    assert not recorder.works
    assert "test_graphs.py" in recorder.why
    assert recorder.record(lambda: None) is None
    recorder = graph.Recorder(model)

    def compute() -> None:
        (gradient,) = torch.autograd.grad(model(x).square().sum(), model.weight)
        x.add_(gradient.clamp(0, 1))

    recorder.prove(compute)
    assert recorder.works, recorder.why
    before = x.clone()
    recording = recorder.record(compute)
    assert recording
    assert torch.equal(x, before)
    recording.replay()
    assert not torch.equal(x, before)


def test_a_recording_that_breaks_off_leaves_the_stream_as_it_was() -> None:
    model, asked = torch.nn.Linear(4, 4, device="cuda"), list[float]()
    recorder, x, stream = graph.Recorder(model), torch.ones(4, 4, device="cuda"), torch.cuda.current_stream()
    assert recorder.record(lambda: asked.append(float(x.sum()))) is None
    assert not recorder.works
    assert torch.cuda.current_stream() == stream
    assert float((x + 1).sum()) == 32.0


def take_step(model: Any, rows: Sequence[Encoded], decoder: RecordedDecoder | None = None) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    if decoder:
        decoder.begin()
    (sum_loss(model, build_pack(rows, "cuda"), chunk=256, decoder=decoder) / count_trained(rows)).backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


@pytest.mark.parametrize("with_liger", [False, True])
def test_recorded_gradients_are_as_near_to_the_true_ones(qwen_config: Qwen2Config, with_liger: bool) -> None:
    """In 16 bits, against fp32: as near as those of a step launched kernel by kernel."""
    if with_liger and liger.load_kernels() is None:
        pytest.skip("Liger's kernels are not installed")
    model = load(qwen_config)
    decoder = RecordedDecoder(model, Room(2048, 16, 900))
    decoder.fused = with_liger
    found: list[tuple[list[Encoded], dict[str, torch.Tensor], dict[str, torch.Tensor]]] = []
    for lengths in ((900, 300, 60), (900, 436, 300, 212, 100, 100)):
        rows = make_rows(lengths)
        found.append((rows, take_step(model, rows), take_step(model, rows, decoder)))
        assert decoder.works
        assert decoder.fused == with_liger
    del decoder
    model.float()
    for rows, launched, recorded in found:
        wanted = take_step(model, rows)
        assert recorded.keys() == launched.keys() == wanted.keys()
        apart = [differ(launched, wanted), differ(recorded, wanted)]
        sys.stdout.write(f"\nfrom the gradients in fp32: launched {apart[0]:.4f}, recorded {apart[1]:.4f}")
        assert apart[1] < 1.1 * apart[0]


def differ(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> float:
    """The mean relative difference of a weight's gradient."""
    return fmean(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted)


def test_a_run_of_real_lengths(qwen_config: Qwen2Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trainer itself: losses as without recordings, and the time that a step takes, told."""
    losses: dict[str, list[float]] = {}
    for switch in ("0", "1"):
        monkeypatch.setenv(graph.SWITCH, switch)
        losses[switch], told = run_trainer(build_tuned(qwen_config, 8), tmp_path / switch)
        if switch == "0":
            assert told == []
        else:
            assert [bool(one["lengths"]) and not one["why"] for one in told] == [True], told
        gc.collect()
        torch.cuda.empty_cache()
    torch.testing.assert_close(torch.tensor(losses["1"]), torch.tensor(losses["0"]), rtol=2e-2, atol=2e-2)


def run_trainer(model: Any, folder: Path) -> tuple[list[float], list[dict[str, Any]]]:
    """Losses of 24 steps of 8 rows, and what was said of recordings."""
    draw = random.Random(2)
    encoded = make_rows([draw.choice((60, 90, 120, 180, 260, 400)) for _ in range(48)])
    said = [Message(role="user", content="q"), Message(role="assistant", content="a")]
    rows = RowSet([Row(id=str(n), file="f", line=n, task="t", messages=said) for n in range(48)], encoded)
    config = RunConfig()
    knobs = config.train
    knobs.learning_rate, knobs.max_steps, knobs.save_steps, knobs.batch_size = 1e-3, 24, 24, 8
    reports: list[StepReport] = []
    ends: list[float] = []
    told: list[dict[str, Any]] = []

    def note(report: StepReport) -> None:
        reports.append(report)
        ends.append(time.perf_counter())

    log = StepLog([], note, on_recorded=lambda **facts: told.append(facts))
    train_adapter(model, rows, config=config, shape=Shape(8192, 256, plain_head=True), folder=folder, log=log)
    sys.stdout.write(f"\n{1000 * (ends[-1] - ends[11]) / 12:.0f} ms a step, loss {reports[-1].loss:.4f}")
    assert reports[-1].loss < reports[0].loss
    return [report.loss for report in reports], told
