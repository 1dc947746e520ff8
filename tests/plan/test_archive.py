"""Kept traces: the same again without tracing, and a damaged or old file is as if it were not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from transformers import LlamaConfig

from tuneproof.config import LoraSection
from tuneproof.plan.archive import LAST_USE, Traced, recall_trace
from tuneproof.plan.subject import describe_subject
from tuneproof.plan.trace import Step, trace_step
from tuneproof.records import Parts

MADE = Traced(30, Parts(weights=20, logits=10), ((1, 20),), ((2, 10), (2, 0)))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own for a test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "tuneproof" / "traces"


def refuse() -> Traced:
    raise AssertionError("this was traced again")


def test_what_was_traced_is_the_same_when_it_is_recalled(cache: Path) -> None:
    assert recall_trace(("step", 1), lambda: MADE) == MADE
    assert recall_trace(("step", 1), refuse) == MADE
    with pytest.raises(AssertionError):
        recall_trace(("step", 2), refuse)


def test_a_real_trace_is_recalled_event_by_event(cache: Path, tiny_llama: LlamaConfig) -> None:
    subject = describe_subject(tiny_llama, dtype="bfloat16", lora=LoraSection(rank=4, alpha=8))
    step = Step((32, 16), 20, True, 16)
    first = trace_step.__wrapped__(subject, step, kernel="flash")
    assert trace_step.__wrapped__(subject, step, kernel="flash") == first
    assert len(list(cache.iterdir())) == 1
    assert trace_step.__wrapped__(subject, step._replace(chunk=8), kernel="flash") != first


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file"])
def test_a_damaged_file_is_made_again(cache: Path, damage: bytes) -> None:
    recall_trace(("step", 1), lambda: MADE)
    (file,) = cache.iterdir()
    file.write_bytes(damage)
    assert recall_trace(("step", 1), lambda: MADE) == MADE
    assert recall_trace(("step", 1), refuse) == MADE


def test_traces_that_no_plan_has_used_for_long_are_removed(cache: Path) -> None:
    recall_trace(("step", 1), lambda: MADE)
    (old,) = cache.iterdir()
    os.utime(old, (0, old.stat().st_mtime - LAST_USE - 60))
    recall_trace(("step", 2), lambda: MADE)
    assert not old.exists()
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_cannot_be_written_changes_nothing(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be", encoding="utf-8")
    assert recall_trace(("step", 1), lambda: MADE) == MADE
