"""Memory that runs out: a real failure to allocate is recovered from, with the loss curve of a smaller plan."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.source import ROOT
from tuneproof.errors import FitError
from tuneproof.model.chat import Encoded
from tuneproof.model.hardware import is_out_of_memory
from tuneproof.model.load import add_adapter, enable_checkpointing, is_recomputing, load_base
from tuneproof.model.step import get_base
from tuneproof.training.recovery import Footing, Lighter, Shape, cut_rows, lighten, take_step

linux = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA limits memory on Linux only")


@pytest.fixture(scope="module")
def starved(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What trainings and answers with little memory, and with enough, came to.

    All 8 rows of 2000 tokens at once take 75 to 80 MB, 4 take 50: midway between them, whatever the allocator rounds.
    """
    jobs = ("train,16000,63", "train,8000,0", "answers,64,40", "answers,64,0")
    out = tmp_path_factory.mktemp("starved")
    command = [sys.executable, "-m", "tests.starved", str(tiny_model_dir), str(out), *jobs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@linux
def test_a_step_that_ran_out_of_memory_ends_as_one_planned_smaller(starved: list[Any]) -> None:
    short, planned = starved[:2]
    assert [change[1:] for change in short["lighter"]] == [["train.micro_batch", 16_000, 8_000]]
    assert planned["lighter"] == []
    assert short["losses"] == pytest.approx(planned["losses"], rel=1e-6)
    assert len(short["losses"]) == 2


@linux
def test_answers_that_ran_out_of_memory_are_the_same_ones(starved: list[Any]) -> None:
    short, roomy = starved[2:]
    assert roomy["fewer"] == []
    assert short["fewer"]
    assert all(now == before // 2 for before, now in short["fewer"])
    assert short["answers"] == roomy["answers"]
    # Each answer is heard once, whatever was tried again.
    assert short["heard"] == roomy["heard"] == list(range(64))


def rows_of(*lengths: int) -> list[Encoded]:
    return [Encoded(list(range(length)), [True] * length) for length in lengths]


@pytest.fixture
def model(tiny_model_dir: Path) -> Any:
    base = load_base(str(tiny_model_dir), device="cpu", dtype="float32")
    return add_adapter(base.model, rank=2, alpha=4, dropout=0.0, targets="all-linear")


def test_packs_are_halved_until_they_are_cut_otherwise_and_then_activations_recomputed(model: Any) -> None:
    rows, shape = rows_of(30, 20, 10), Shape(1000, 16, True)
    seen = []
    for _ in range(3):
        shape, change = lighten(model, rows, shape)
        seen.append((change.lever, cut_rows(rows, shape)))
    assert seen == [
        ("train.micro_batch", [[0], [1, 2]]),
        ("train.micro_batch", [[0], [1], [2]]),
        ("memory.checkpointing", [[0], [1], [2]]),
    ]
    with pytest.raises(FitError) as caught:
        lighten(model, rows, shape, "what the device said")
    assert "what the device said" in caught.value.message()


def test_a_model_that_cannot_recompute_is_said_not_to_fit(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(get_base(model)), "supports_gradient_checkpointing", False)
    enable_checkpointing(get_base(model))
    assert not is_recomputing(get_base(model))
    with pytest.raises(FitError) as caught:
        lighten(model, rows_of(10), Shape(1000, 16, True), "what the device said")
    assert caught.value.key == "train.out_of_memory"


def test_each_attempt_begins_with_the_same_random_numbers_and_no_gradient(model: Any) -> None:
    drawn, heard = [], list[Lighter]()
    weight = next(one for one in model.parameters() if one.requires_grad)

    def attempt(shape: Shape) -> torch.Tensor:
        assert weight.grad is None
        weight.grad = torch.ones_like(weight)
        drawn.append(float(torch.rand(())))
        if shape.pack_tokens > 30:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return torch.zeros(())

    _, shape = take_step(attempt, Footing(model, rows_of(30, 20, 10), Shape(60, 16, True)), heard.append)
    assert shape.pack_tokens == 30
    assert heard == [Lighter("train.micro_batch", 60, 30)]
    assert drawn[0] == drawn[1]
    assert torch.equal(weight.grad, torch.ones_like(weight))


def test_other_failures_are_not_taken_for_memory(model: Any) -> None:
    def attempt(shape: Shape) -> torch.Tensor:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        take_step(attempt, Footing(model, rows_of(30), Shape(60, 16, True)), lambda change: None)


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("out of memory"), False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_devices_say_is_understood(error: Exception, memory: bool) -> None:
    assert is_out_of_memory(error) is memory
